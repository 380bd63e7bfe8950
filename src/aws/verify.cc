#include "aws/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "aws/digest.h"
#include "base/clock.h"

namespace pinflow::aws {
namespace {

using Refused = std::unexpected<AuthFailure>;

Refused refuse(AuthProblem problem, std::string message) { return Refused({problem, std::move(message)}); }

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with(',')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with(',')) text.remove_suffix(1);
  return text;
}

// "Credential=…, SignedHeaders=…, Signature=…" -> the value of one of them.
std::string_view part_of(std::string_view header, std::string_view name) {
  for (size_t at = header.find(name); at != std::string_view::npos; at = header.find(name, at + 1)) {
    const bool begins = at == 0 || header[at - 1] == ' ' || header[at - 1] == ',';
    if (!begins || header.size() <= at + name.size() || header[at + name.size()] != '=') continue;
    const std::string_view rest = header.substr(at + name.size() + 1);
    return trimmed(rest.substr(0, rest.find(',')));
  }
  return {};
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(parameter.find('='), parameter.size());
    if (percent_decode(parameter.substr(0, equals)) == name)
      return percent_decode(parameter.substr(std::min(equals + 1, parameter.size())));
  }
  return std::nullopt;
}

bool is_signed(std::string_view names, std::string_view name) {
  return names == name || names.starts_with(fmt::format("{};", name)) || names.ends_with(fmt::format(";{}", name)) ||
         names.contains(fmt::format(";{};", name));
}

}  // namespace

// What a request says of itself.
struct Verifier::Claim {
  std::string key_id;
  std::string scope;  // "20150830/us-east-1/kinesis/aws4_request"
  std::string region;
  std::string names;
  std::string signature;
  std::string date;                        // "20150830T123600Z"
  std::optional<int64_t> expires_seconds;  // of a presigned one
};

std::expected<Verifier::Claim, AuthFailure> Verifier::claim_of(const http::Request& request) const {
  Claim claim;
  std::string credential;
  const std::string_view header = request.header("Authorization");
  const size_t mark = request.target.find('?');
  const std::string_view query =
      mark == std::string::npos ? std::string_view() : std::string_view(request.target).substr(mark + 1);
  if (!header.empty()) {
    std::string missing;
    const auto take = [&](std::string_view name) {
      const std::string_view value = part_of(header.substr(std::min(header.find(' '), header.size())), name);
      if (value.empty()) missing += fmt::format("Authorization header requires '{}' parameter. ", name);
      return std::string(value);
    };
    if (!header.starts_with(kAlgorithm))
      return refuse(
          AuthProblem::incomplete,
          fmt::format("Unsupported signature algorithm in the Authorization header; it must be {}.", kAlgorithm));
    credential = take("Credential");
    claim.signature = take("Signature");
    claim.names = take("SignedHeaders");
    claim.date = request.header("X-Amz-Date");
    if (claim.date.empty()) {
      if (const auto date = parse_http_date(request.header("Date"))) claim.date = amz_date(*date);
      else missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
    }
    if (!missing.empty())
      return refuse(AuthProblem::incomplete,
                    missing + "Authorization=" + std::string(header.substr(0, header.find(' '))));
  } else if (query_value(query, "X-Amz-Algorithm")) {
    std::string missing;
    const auto take = [&](const char* name) {
      auto value = query_value(query, name);
      if (!value || value->empty()) missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
      return value.value_or("");
    };
    if (query_value(query, "X-Amz-Algorithm") != kAlgorithm)
      return refuse(AuthProblem::incomplete, "X-Amz-Algorithm must be AWS4-HMAC-SHA256");
    credential = take("X-Amz-Credential");
    claim.signature = take("X-Amz-Signature");
    claim.names = take("X-Amz-SignedHeaders");
    claim.date = take("X-Amz-Date");
    const std::string expires = query_value(query, "X-Amz-Expires").value_or("300");
    int64_t seconds = -1;
    std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
    if (seconds < 1 || seconds > 7 * 24 * 3600) missing += "X-Amz-Expires must be between 1 second and 7 days. ";
    claim.expires_seconds = seconds;
    if (!missing.empty()) return refuse(AuthProblem::incomplete, missing + "Re-examine the query-string parameters.");
  } else {
    return refuse(AuthProblem::missing, "Missing Authentication Token");
  }
  const size_t slash = credential.find('/');
  if (slash != std::string::npos) {
    claim.key_id = credential.substr(0, slash);
    claim.scope = credential.substr(slash + 1);
  }
  const std::string_view scope = claim.scope;
  const size_t first = scope.find('/');
  const size_t second = first == std::string_view::npos ? first : scope.find('/', first + 1);
  if (second == std::string_view::npos)
    return refuse(AuthProblem::incomplete, fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                                                       "keyid/date/region/service/term, got '{}'",
                                                       credential));
  claim.region = scope.substr(first + 1, second - first - 1);
  return claim;
}

std::expected<Caller, AuthFailure> Verifier::verify(const http::Request& request, int64_t now_ms) {
  auto claim = claim_of(request);
  if (!claim) return Refused(claim.error());
  const Scope scope{scope_.region.empty() ? claim->region : scope_.region, scope_.service};
  if (claim->scope != credential_scope(scope, claim->date))
    return refuse(AuthProblem::wrong_signature,
                  fmt::format("Credential should be scoped to a valid region and service: '{}', not '{}'.",
                              credential_scope(scope, claim->date), claim->scope));
  if (!is_signed(claim->names, "host"))
    return refuse(AuthProblem::wrong_signature, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
  const auto secret = lookup_(claim->key_id);
  if (!secret) return refuse(AuthProblem::unknown_key, "The security token included in the request is invalid.");

  const auto at = parse_amz_date(claim->date);
  if (!at) return refuse(AuthProblem::incomplete, fmt::format("The date '{}' cannot be read.", claim->date));
  const int64_t good_for = claim->expires_seconds ? *claim->expires_seconds * 1000 : skew_ms();
  if (now_ms > *at + good_for)
    return refuse(AuthProblem::expired,
                  fmt::format("Signature expired: {} is now earlier than {} ({} - {} s.)", claim->date,
                              amz_date(now_ms - good_for), amz_date(now_ms), good_for / 1000));
  if (now_ms < *at - skew_ms())
    return refuse(AuthProblem::expired,
                  fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)", claim->date,
                              amz_date(now_ms + skew_ms()), amz_date(now_ms), skew_ms() / 60'000));

  std::string payload = std::string(request.header("x-amz-content-sha256"));
  if (scope_.service != "s3") payload = sha256_hex(request.body);
  else if (payload.empty()) payload = kUnsignedPayload;  // as presigned ones have it
  else if (payload != kUnsignedPayload && payload != sha256_hex(request.body))
    return refuse(AuthProblem::wrong_signature,
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view target = request.target;
  const std::string canonical = canonical_request(
      {request.method, target.substr(0, mark), target.substr(std::min(mark + 1, target.size())), &request.headers},
      path_rule(scope), claim->names, payload);
  const std::string expected =
      signature(keys_.get(*secret, scope, claim->date), string_to_sign(claim->date, claim->scope, canonical));
  if (!equal_in_constant_time(expected, claim->signature))
    return refuse(AuthProblem::wrong_signature,
                  "The request signature we calculated does not match the signature you provided. Check your AWS "
                  "Secret Access Key and signing method. Consult the service documentation for details.");
  return Caller{claim->key_id};
}

}  // namespace pinflow::aws
