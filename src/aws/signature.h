// AWS Signature Version 4: made and checked. Pure; time comes as a number.
// Source: "AWS Signature Version 4 for API requests", AWS IAM User Guide; for S3, "Authenticating Requests".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "base/error.h"
#include "http/message.h"

namespace pinflow::aws {

// What is signed of a request. `path` and the query's names and values are as meant, not percent-encoded.
struct SignedRequest {
  std::string method = "GET";
  std::string host;  // "s3.us-east-1.amazonaws.com", with ":port" where it is not the scheme's own
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<http::HeaderField> headers;  // without Host and those that signing adds
  std::string payload_sha256;              // hex, or kUnsignedPayload
};
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct Scope {
  std::string region;
  std::string service;  // "s3" paths are encoded once and not normalised, all others twice and normalised
};

// The headers to add: x-amz-date, x-amz-security-token, for S3 x-amz-content-sha256, and Authorization.
std::vector<http::HeaderField> sign(const SignedRequest& request, const Scope& scope, const Credentials& credentials,
                                    int64_t now_ms);

// The path and the query as they go on the wire: percent-encoded as they were signed. "/a%20b?list-type=2".
std::string wire_target(const SignedRequest& request);

}  // namespace pinflow::aws
