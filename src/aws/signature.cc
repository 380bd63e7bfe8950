#include "aws/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "aws/digest.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace pinflow::aws {
namespace {

constexpr std::string_view kRequestEnd = "aws4_request";

std::string joined_query(const std::vector<std::pair<std::string, std::string>>& query) {
  std::string result;
  for (const char* separator = ""; const auto& [name, value] : query) {
    result += std::exchange(separator, "&");
    result += percent_encode(name, false);
    result += '=';
    result += percent_encode(value, false);
  }
  return result;
}

std::string signed_names(const std::vector<http::HeaderField>& headers) {
  std::vector<std::string> names;
  for (const http::HeaderField& field : headers) names.push_back(lower_case(field.name));
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string result;
  for (const char* separator = ""; const std::string& name : names) {
    result += std::exchange(separator, ";");
    result += name;
  }
  return result;
}

std::string signature_of(const SignedRequest& request, const std::string& query,
                         const std::vector<http::HeaderField>& headers, const std::string& names, const Scope& scope,
                         const Credentials& credentials, const std::string& date) {
  const std::string path = percent_encode(request.path, true);
  const std::string canonical =
      canonical_request({request.method, path, query, &headers}, path_rule(scope), names, request.payload_sha256);
  return signature(signing_key(credentials.secret_access_key, scope, date),
                   string_to_sign(date, credential_scope(scope, date), canonical));
}

}  // namespace

PathRule path_rule(const Scope& scope) { return scope.service == "s3" ? PathRule::once : PathRule::twice; }

std::vector<http::HeaderField> sign(const SignedRequest& request, const Scope& scope, const Credentials& credentials,
                                    int64_t now_ms) {
  const std::string date = amz_date(now_ms);
  std::vector<http::HeaderField> added = {{"x-amz-date", date}};
  if (!credentials.session_token.empty()) added.push_back({"x-amz-security-token", credentials.session_token});
  if (scope.service == "s3") added.push_back({"x-amz-content-sha256", request.payload_sha256});

  std::vector<http::HeaderField> headers = request.headers;
  headers.push_back({"host", request.host});
  headers.insert(headers.end(), added.begin(), added.end());
  const std::string names = signed_names(headers);
  const std::string made = signature_of(request, joined_query(request.query), headers, names, scope, credentials, date);
  added.push_back(
      {"Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                    credentials.access_key_id, credential_scope(scope, date), names, made)});
  return added;
}

std::string wire_target(const SignedRequest& request) {
  std::string target = percent_encode(request.path, true);
  if (!request.query.empty()) target += "?" + joined_query(request.query);
  return target;
}

std::string presign(const SignedRequest& request, const Scope& scope, const Credentials& credentials, int64_t now_ms,
                    int64_t expires_seconds) {
  const std::string date = amz_date(now_ms);
  std::vector<http::HeaderField> headers = request.headers;
  headers.push_back({"host", request.host});
  const std::string names = signed_names(headers);
  auto query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential",
                     fmt::format("{}/{}", credentials.access_key_id, credential_scope(scope, date)));
  query.emplace_back("X-Amz-Date", date);
  query.emplace_back("X-Amz-Expires", fmt::format("{}", expires_seconds));
  query.emplace_back("X-Amz-SignedHeaders", names);
  if (!credentials.session_token.empty()) query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  const std::string joined = joined_query(query);
  return fmt::format("{}?{}&X-Amz-Signature={}", percent_encode(request.path, true), joined,
                     signature_of(request, joined, headers, names, scope, credentials, date));
}

std::string amz_date(int64_t ms) {
  const auto seconds = static_cast<time_t>(ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

std::optional<int64_t> parse_amz_date(std::string_view date) {
  if (date.size() != 16 || date[8] != 'T' || date[15] != 'Z') return std::nullopt;
  return parse_iso_time(fmt::format("{}-{}-{}T{}:{}:{}Z", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2),
                                    date.substr(9, 2), date.substr(11, 2), date.substr(13, 2)));
}

std::string credential_scope(const Scope& scope, std::string_view amz_date) {
  return fmt::format("{}/{}/{}/{}", amz_date.substr(0, 8), scope.region, scope.service, kRequestEnd);
}

std::string string_to_sign(std::string_view amz_date, std::string_view credential_scope,
                           std::string_view canonical_request) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, amz_date, credential_scope, sha256_hex(canonical_request));
}

std::string signing_key(std::string_view secret, const Scope& scope, std::string_view amz_date) {
  const std::string of_day = hmac_sha256(fmt::format("AWS4{}", secret), amz_date.substr(0, 8));
  return hmac_sha256(hmac_sha256(hmac_sha256(of_day, scope.region), scope.service), kRequestEnd);
}

std::string signature(std::string_view signing_key, std::string_view string_to_sign) {
  return to_hex(hmac_sha256(signing_key, string_to_sign));
}

std::string SigningKeys::get(std::string_view secret, const Scope& scope, std::string_view amz_date) {
  const std::string_view date = amz_date.substr(0, 8);
  std::lock_guard lock(mutex_);
  const auto known = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.secret == secret && entry.date == date && entry.region == scope.region &&
           entry.service == scope.service;
  });
  if (known != entries_.end()) return known->key;
  if (entries_.size() == kMost) entries_.erase(entries_.begin());
  entries_.push_back(
      {std::string(secret), std::string(date), scope.region, scope.service, signing_key(secret, scope, amz_date)});
  return entries_.back().key;
}

}  // namespace pinflow::aws
