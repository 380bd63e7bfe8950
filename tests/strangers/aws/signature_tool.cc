// The room `aws` for AWS's own vectors and signers to be held against: a JSON object a line in, one a line out.
//
//   {"call":"canonical","rule":"once"|"twice","method":,"path":,"query":,"names":,"headers":[[name,value]…],"sha256":,
//    "region":,"service":,"date":,"secret":}           -> {"canonical":,"string_to_sign":,"signature":}
//   {"call":"sign","method":,"host":,"path":,"query":[[name,value]…],"headers":[…],"sha256":,"region":,"service":,
//    "key":,"secret":,"token":,"now_ms":,"expires":}   -> {"target":,"headers":[…],"presigned":}
//   {"call":"verify","method":,"target":,"headers":[…],"body":,"region":,"service":,"key":,"secret":,"now_ms":}
//                                                      -> {"caller":} or {"problem":,"message":}
//   {"call":"credentials","profile":}   -> {"key":,"secret":,"token":,"expires_ms":,"from":} or {"error":}
#include <simdjson.h>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "aws/default_credentials.h"
#include "aws/signature.h"
#include "aws/verify.h"
#include "base/json.h"

namespace pinflow::aws {
namespace {

using Json = simdjson::dom::element;

std::string text(const Json& from, const char* key) { return std::string(from[key].get_string().value()); }

std::vector<std::pair<std::string, std::string>> pairs(const Json& from, const char* key) {
  std::vector<std::pair<std::string, std::string>> found;
  const simdjson::dom::array array = from[key].get_array().value();
  for (const Json pair : array) found.emplace_back(pair.at(0).get_string().value(), pair.at(1).get_string().value());
  return found;
}

std::vector<http::HeaderField> headers(const Json& from) {
  std::vector<http::HeaderField> found;
  for (auto& [name, value] : pairs(from, "headers")) found.push_back({name, value});
  return found;
}

Scope scope(const Json& from) { return {text(from, "region"), text(from, "service")}; }

void canonical(const Json& call, JsonWriter& out) {
  const auto fields = headers(call);
  const std::string method = text(call, "method"), path = text(call, "path"), query = text(call, "query");
  const std::string made =
      canonical_request({method, path, query, &fields}, text(call, "rule") == "once" ? PathRule::once : PathRule::twice,
                        text(call, "names"), text(call, "sha256"));
  const std::string date = text(call, "date");
  const std::string to_sign = string_to_sign(date, credential_scope(scope(call), date), made);
  out.key("canonical").string(made);
  out.key("string_to_sign").string(to_sign);
  out.key("signature").string(signature(signing_key(text(call, "secret"), scope(call), date), to_sign));
}

void sign(const Json& call, JsonWriter& out) {
  const SignedRequest request{text(call, "method"), text(call, "host"), text(call, "path"),
                              pairs(call, "query"), headers(call),      text(call, "sha256")};
  const Credentials keys{text(call, "key"), text(call, "secret"), text(call, "token"), {}};
  const int64_t now_ms = call["now_ms"].get_int64().value();
  out.key("target").string(wire_target(request));
  out.key("presigned").string(presign(request, scope(call), keys, now_ms, call["expires"].get_int64().value()));
  out.key("headers").begin_array();
  for (const http::HeaderField& field : aws::sign(request, scope(call), keys, now_ms))
    out.begin_array().string(field.name).string(field.value).end_array();
  out.end_array();
}

void verify(const Json& call, JsonWriter& out) {
  const std::string key = text(call, "key"), secret = text(call, "secret");
  Verifier verifier(scope(call), [&](const std::string& id) -> std::optional<std::string> {
    if (id != key) return std::nullopt;
    return secret;
  });
  const auto caller = verifier.verify({text(call, "method"), text(call, "target"), headers(call), text(call, "body")},
                                      call["now_ms"].get_int64().value());
  if (caller) {
    out.key("caller").string(caller->access_key_id);
  } else {
    constexpr const char* kNames[] = {"missing", "incomplete", "unknown_key", "wrong_signature", "expired"};
    out.key("problem").string(kNames[static_cast<int>(caller.error().problem)]);
    out.key("message").string(caller.error().message);
  }
}

void credentials(const Json& call, JsonWriter& out) {
  ChainOptions options;
  options.profile = text(call, "profile");
  const auto provider = default_credentials(options);
  const auto got = provider->get();
  if (!got) {
    out.key("error").string(got.error().message);
    return;
  }
  out.key("key").string(got->access_key_id);
  out.key("secret").string(got->secret_access_key);
  out.key("token").string(got->session_token);
  out.key("expires_ms").number(got->expires_ms.value_or(0));
  out.key("from").string(provider->from());
}

}  // namespace
}  // namespace pinflow::aws

int main() {
  using namespace pinflow::aws;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    const Json call = parser.parse(line).value();
    const std::string name = text(call, "call");
    pinflow::JsonWriter out;
    out.begin_object();
    if (name == "canonical") canonical(call, out);
    else if (name == "sign") sign(call, out);
    else if (name == "verify") verify(call, out);
    else if (name == "credentials") credentials(call, out);
    else return 2;
    out.end_object();
    std::cout << out.text() << std::endl;
  }
  return 0;
}
