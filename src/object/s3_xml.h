// The XML bodies of S3's answers, and the one body that we send. Pure.
// Source: Amazon S3 API Reference (ListObjectsV2, ListMultipartUploads, CompleteMultipartUpload, Error responses).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::object {

struct S3Failure {
  std::string code;  // "NoSuchKey"; empty where the body is no S3 error
  std::string message;
  std::string region;                     // of the bucket, where the service names it
  std::optional<int64_t> server_time_ms;  // where the request's time was wrong
};
S3Failure parse_failure(std::string_view body);

struct S3Page {
  std::vector<ObjectInfo> objects;  // by their keys
  std::string next;                 // continuation token; empty: that was all
};
Result<S3Page> parse_list(std::string_view body);

struct S3PendingUpload {
  std::string key;
  std::string id;
  int64_t begun_ms = 0;
};
struct S3Uploads {
  std::vector<S3PendingUpload> uploads;
  std::string next_key, next_id;  // both empty: that was all
};
Result<S3Uploads> parse_uploads(std::string_view body);

Result<std::string> parse_upload_id(std::string_view body);

// Of parts 1, 2, … with these ETags.
std::string complete_body(const std::vector<std::string>& etags);

}  // namespace pinflow::object
