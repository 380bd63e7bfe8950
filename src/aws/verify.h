// AWS Signature Version 4, checked: the side of a service. Headers or a presigned query. Pure but for the cache of
// keys; time comes as a number.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "aws/signature.h"
#include "http/message.h"

namespace pinflow::aws {

enum class AuthProblem {
  missing,          // MissingAuthenticationToken
  incomplete,       // IncompleteSignature: what is there cannot be read, or names another region or service
  unknown_key,      // UnrecognizedClient, InvalidAccessKeyId
  wrong_signature,  // InvalidSignature, SignatureDoesNotMatch
  expired,          // signed too long ago, or in the future
};
struct AuthFailure {
  AuthProblem problem;
  std::string message;  // in the words of AWS's services
};
struct Caller {
  std::string access_key_id;
};

class Verifier {
 public:
  // The secret of a key; nothing where there is no such key.
  using Lookup = std::function<std::optional<std::string>(const std::string& access_key_id)>;
  static constexpr int64_t kSkewMs = 5 * 60'000;
  static constexpr int64_t kS3SkewMs = 15 * 60'000;

  // An empty region takes any. For S3 the body's digest is the one that the request names, and is held to it.
  Verifier(Scope scope, Lookup lookup) : scope_(std::move(scope)), lookup_(std::move(lookup)) {}

  // Thread-safe where `lookup` is.
  std::expected<Caller, AuthFailure> verify(const http::Request& request, int64_t now_ms);

 private:
  struct Claim;
  std::expected<Claim, AuthFailure> claim_of(const http::Request& request) const;

  int64_t skew_ms() const { return scope_.service == "s3" ? kS3SkewMs : kSkewMs; }

  const Scope scope_;
  const Lookup lookup_;
  SigningKeys keys_;
};

}  // namespace pinflow::aws
