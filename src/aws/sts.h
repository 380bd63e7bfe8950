// Three calls of AWS's Security Token Service: a role is assumed, and lent for some hours; and: who am I?
// Source: AWS Security Token Service API Reference.
#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "base/error.h"

namespace pinflow::aws {

struct Role {
  std::string arn;
  std::string session_name;  // empty: "pinflow-<time>"
  std::string external_id;   // of assume_role only
  int duration_seconds = 3600;
};

struct StsEndpoint {
  std::string url;  // "https://sts.eu-west-1.amazonaws.com"
  std::string region;
};
StsEndpoint sts_endpoint(const std::string& region, const std::string& url);

// Both call the service, and wait. denied: what it says; unavailable: it did not answer well in a few attempts.
Result<Credentials> assume_role(const StsEndpoint& sts, const Role& role, const Credentials& with, int64_t now_ms);
Result<Credentials> assume_role_with_web_identity(const StsEndpoint& sts, const Role& role, std::string_view token,
                                                  int64_t now_ms);

// Whom the credentials belong to; needs no permission. Errors as above.
struct CallerIdentity {
  std::string account;  // "123456789012"
  std::string arn;      // "arn:aws:iam::123456789012:user/ann"
};
Result<CallerIdentity> caller_identity(const StsEndpoint& sts, const Credentials& credentials, int64_t now_ms);

// The body of an answer, as XML. Pure. denied, or unavailable where another attempt may do (5xx, Throttling).
Result<Credentials> parse_sts_answer(int status, std::string_view body);
Result<CallerIdentity> parse_identity_answer(int status, std::string_view body);

}  // namespace pinflow::aws
