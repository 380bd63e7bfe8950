// Objects in S3, or in a service that speaks its protocol: the object "a/b.json" of s3://BUCKET/PREFIX is the key
// PREFIX/a/b.json. Nobody sees half an object: an upload shows when it is done.
//
//   put_if_absent        PutObject with If-None-Match: *; above `part_bytes` a multipart upload whose completion has it
//   put_file_if_absent   the same from a file; parts go in parallel
//   get, fetch           ranged GetObject bound to one ETag; list: ListObjectsV2
//
// A lost answer: each upload carries an id of its own (x-amz-meta-pinflow-upload). Where a repeated put finds the name
// taken, the object's id tells whether the first attempt had made it.
//
// Errors: denied (keys, permissions, clock), not_found (object or bucket), already_exists, unavailable (the service did
// not answer well within `attempts`, or before a stop), corrupt (bytes that do not match their checksum).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "base/error.h"
#include "base/shutdown.h"
#include "object/store.h"

namespace pinflow::object {

struct S3Options {
  std::string bucket;
  std::string prefix;       // without '/' at its ends; empty: the bucket's root
  std::string region;       // empty: us-east-1
  std::string endpoint;     // "http://127.0.0.1:7070"; empty: AWS's own of the region
  bool path_style = false;  // ENDPOINT/BUCKET/KEY; else BUCKET.ENDPOINT/KEY. Always where the host is an address
  std::string ca_file;      // PEM; empty: those that the system trusts

  std::string server_side_encryption;  // "AES256", "aws:kms"; empty: what the bucket does
  std::string kms_key_id;
  std::string customer_key;  // SSE-C: 32 bytes; never in a message
  std::string canned_acl;    // "bucket-owner-full-control"
  std::map<std::string, std::string> tags;

  int64_t part_bytes = 16 << 20;           // of multipart uploads and of ranged reads; S3 wants 5 MiB at least
  int parallel = 4;                        // requests of one call under way at once
  int attempts = 8;                        // of one request
  std::chrono::milliseconds backoff{100};  // before the second attempt; doubled each time, with jitter, to 10 s at most
  int connect_timeout_ms = 5'000;
  int timeout_ms = 60'000;  // of one attempt
  // Once it says yes, a request that fails is tried again for `patience_at_stop` only.
  std::function<bool()> stopping = stop_requested;
  std::chrono::milliseconds patience_at_stop{2'000};
  std::filesystem::path spool;  // a folder for files on their way, made where missing; files go with the store
};

// "s3://bucket/a/b" -> bucket and prefix; invalid where it is no such URL.
Result<S3Options> parse_s3_url(std::string_view url);

// Asks nothing of the service yet.
Result<std::unique_ptr<Store>> open_s3(S3Options options, std::shared_ptr<aws::CredentialsProvider> credentials);

// Aborts the multipart uploads under the prefix that were begun before `older_than`: leftovers of what died. The
// number.
Result<int> abort_leftovers(Store& s3, std::chrono::hours older_than);

}  // namespace pinflow::object
