// AWS Signature Version 4, made: headers for a request, or a presigned URL. (Checked: verify.h.) Pure; time comes as a
// number.
// Source: "AWS Signature Version 4 for API requests", AWS IAM User Guide; for S3, "Authenticating Requests".
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/canonical.h"
#include "aws/credentials.h"
#include "http/message.h"

namespace pinflow::aws {

// What is signed of a request. `path` and the query's names and values are as meant, not percent-encoded.
struct SignedRequest {
  std::string method = "GET";
  std::string host;  // "s3.us-east-1.amazonaws.com", with ":port" where it is not the scheme's own
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<http::HeaderField> headers;  // all are signed; without Host and those that signing adds
  std::string payload_sha256;              // hex, or kUnsignedPayload
};
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Scope {
  std::string region;
  std::string service;  // "s3" paths are encoded once and not normalised, all others twice and normalised
};
PathRule path_rule(const Scope& scope);

// The headers to add: x-amz-date, x-amz-security-token, for S3 x-amz-content-sha256, and Authorization.
std::vector<http::HeaderField> sign(const SignedRequest& request, const Scope& scope, const Credentials& credentials,
                                    int64_t now_ms);

// The path and the query as they go on the wire: percent-encoded as they were signed. "/a%20b?list-type=2".
std::string wire_target(const SignedRequest& request);

// The target of a presigned request, good for `expires_seconds` from now: wire_target with the X-Amz-… parameters, the
// signature last. The headers of the request, and Host, are signed and must be sent. `payload_sha256` is taken as
// given.
std::string presign(const SignedRequest& request, const Scope& scope, const Credentials& credentials, int64_t now_ms,
                    int64_t expires_seconds);

// ---- the steps, for both sides ----------------------------------------------------------------------------------

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string amz_date(int64_t ms);                                             // "20150830T123600Z"
std::optional<int64_t> parse_amz_date(std::string_view date);                 // undoes it
std::string credential_scope(const Scope& scope, std::string_view amz_date);  // "20150830/us-east-1/sts/aws4_request"
std::string string_to_sign(std::string_view amz_date, std::string_view credential_scope,
                           std::string_view canonical_request);
// Of one day, region and service; 32 bytes.
std::string signing_key(std::string_view secret, const Scope& scope, std::string_view amz_date);
// In hex.
std::string signature(std::string_view signing_key, std::string_view string_to_sign);

// Signing keys that were made before: a key is good for a day. Thread-safe.
class SigningKeys {
 public:
  static constexpr size_t kMost = 64;
  std::string get(std::string_view secret, const Scope& scope, std::string_view amz_date);

 private:
  struct Entry {
    std::string secret, date, region, service, key;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace pinflow::aws
