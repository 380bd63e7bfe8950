#include "aws/sts.h"

#include <chrono>
#include <pugixml.hpp>
#include <thread>

#include "aws/digest.h"
#include "aws/signature.h"
#include "base/clock.h"
#include "http/client.h"

namespace pinflow::aws {
namespace {

constexpr int kAttempts = 3;
constexpr int kTimeoutMs = 10'000;

using Form = std::vector<std::pair<std::string, std::string>>;

std::string form_text(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form)
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, percent_encode(value, false));
  return text;
}

Form form_of(std::string_view action, const Role& role, int64_t now_ms) {
  return {{"Action", std::string(action)},
          {"Version", "2011-06-15"},
          {"RoleArn", role.arn},
          {"RoleSessionName", role.session_name.empty() ? fmt::format("pinflow-{}", now_ms) : role.session_name},
          {"DurationSeconds", fmt::format("{}", role.duration_seconds)}};
}

// An answer that is XML and no error.
Result<> read_answer(pugi::xml_document& document, int status, std::string_view body) {
  if (!document.load_buffer(body.data(), body.size()))
    return unavailable("STS answered {} with something that is not XML", status);
  if (status == 200) return {};
  const pugi::xml_node error = document.child("ErrorResponse").child("Error");
  const std::string code = error.child("Code").text().get();
  const bool passes = status >= 500 || status == 429 || code.starts_with("Throttling") ||
                      code == "RequestLimitExceeded" || code == "IDPCommunicationError";
  return fail(passes ? Code::unavailable : Code::denied, "STS answered {} {}: {}", status, code,
              error.child("Message").text().get());
}

// The answer to `form`, by `parse`; more attempts where its error is unavailable.
template <class T>
Result<T> post(const StsEndpoint& sts, const Form& form, const Credentials* with, int64_t now_ms,
               Result<T> (*parse)(int status, std::string_view body)) {
  http::ClientOptions options;
  options.timeout_ms = kTimeoutMs;
  auto client = http::Client::create(options);
  if (!client) return pass(client.error());
  std::string origin = sts.url;
  while (origin.ends_with('/')) origin.pop_back();
  http::ClientRequest request{"POST", origin + "/", {}, form_text(form)};
  request.headers.push_back({"content-type", "application/x-www-form-urlencoded; charset=utf-8"});
  if (with) {
    const size_t scheme = origin.find("://");
    const SignedRequest to_sign{"POST",
                                origin.substr(scheme == std::string::npos ? 0 : scheme + 3),
                                "/",
                                {},
                                request.headers,
                                sha256_hex(request.body)};
    for (auto& field : sign(to_sign, {sts.region, "sts"}, *with, now_ms)) request.headers.push_back(std::move(field));
  }
  for (int attempt = 1;; ++attempt) {
    const http::Outcome outcome = (*client)->request(request);
    if (outcome.response) {
      auto answer = parse(outcome.response->status, outcome.response->body);
      if (answer || answer.error().code != Code::unavailable || attempt == kAttempts) return answer;
    } else if (attempt == kAttempts) {
      return pass(outcome.response.error(), "asking STS");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200 * attempt));
  }
}

}  // namespace

StsEndpoint sts_endpoint(const std::string& region, const std::string& url) {
  if (!url.empty()) return {url, region};
  return {fmt::format("https://sts.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : ""), region};
}

Result<Credentials> assume_role(const StsEndpoint& sts, const Role& role, const Credentials& with, int64_t now_ms) {
  Form form = form_of("AssumeRole", role, now_ms);
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  auto got = post(sts, form, &with, now_ms, parse_sts_answer);
  if (!got) return pass(got.error(), "assuming the role {}", role.arn);
  return got;
}

Result<Credentials> assume_role_with_web_identity(const StsEndpoint& sts, const Role& role, std::string_view token,
                                                  int64_t now_ms) {
  Form form = form_of("AssumeRoleWithWebIdentity", role, now_ms);
  form.emplace_back("WebIdentityToken", token);
  auto got = post(sts, form, nullptr, now_ms, parse_sts_answer);
  if (!got) return pass(got.error(), "assuming the role {} with a web identity", role.arn);
  return got;
}

Result<CallerIdentity> caller_identity(const StsEndpoint& sts, const Credentials& credentials, int64_t now_ms) {
  auto got = post(sts, {{"Action", "GetCallerIdentity"}, {"Version", "2011-06-15"}}, &credentials, now_ms,
                  parse_identity_answer);
  if (!got) return pass(got.error(), "asking {} who {} is", sts.url, credentials.access_key_id);
  return got;
}

Result<Credentials> parse_sts_answer(int status, std::string_view body) {
  pugi::xml_document document;
  if (auto well = read_answer(document, status, body); !well) return pass(well.error());
  const pugi::xml_node root = document.first_child();  // <AssumeRole…Response><AssumeRole…Result><Credentials>
  const pugi::xml_node node = root.first_child().child("Credentials");
  Credentials credentials{node.child("AccessKeyId").text().get(), node.child("SecretAccessKey").text().get(),
                          node.child("SessionToken").text().get(),
                          parse_iso_time(node.child("Expiration").text().get())};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() || !credentials.expires_ms)
    return corrupt("STS answered without credentials");
  return credentials;
}

Result<CallerIdentity> parse_identity_answer(int status, std::string_view body) {
  pugi::xml_document document;
  if (auto well = read_answer(document, status, body); !well) return pass(well.error());
  const pugi::xml_node node = document.first_child().child("GetCallerIdentityResult");
  CallerIdentity identity{node.child("Account").text().get(), node.child("Arn").text().get()};
  if (identity.arn.empty()) return corrupt("STS answered without an identity");
  return identity;
}

}  // namespace pinflow::aws
