#include "aws/machine_credentials.h"

#include <simdjson.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/files.h"
#include "http/client.h"

namespace pinflow::aws {
namespace {

constexpr int kAttempts = 3;
constexpr int kContainerTimeoutMs = 5'000;
constexpr int kInstanceTimeoutMs = 1'000;  // where there is none, nobody answers
constexpr size_t kMostBytes = 256 << 10;
constexpr std::string_view kAgent = "http://169.254.170.2";
constexpr std::string_view kInstance = "http://169.254.169.254";

Result<std::unique_ptr<http::Client>> client_with(int timeout_ms) {
  http::ClientOptions options;
  options.connect_timeout_ms = timeout_ms;
  options.timeout_ms = timeout_ms;
  options.max_response_bytes = kMostBytes;
  return http::Client::create(options);
}

// The answer of the last attempt; only those after which another makes sense are repeated.
Result<http::Response> ask(http::Client& client, const http::ClientRequest& request) {
  for (int attempt = 1;; ++attempt) {
    http::Outcome outcome = client.request(request);
    const bool good = outcome.response && outcome.response->status < 500 && outcome.response->status != 429;
    if (good || attempt == kAttempts) return std::move(outcome.response);
    if (!outcome.sent && !outcome.response) return std::move(outcome.response);  // nobody is there
  }
}

// What may be asked without TLS: this machine, ECS's agent, EKS's two addresses.
bool is_allowed(std::string_view url) {
  if (url.starts_with("https://")) return true;
  if (!url.starts_with("http://")) return false;
  std::string_view host = url.substr(7);
  host = host.substr(0, host.find('/'));
  if (host.contains('@')) return false;
  if (host.starts_with('[')) host = host.substr(0, host.find(']') + 1);
  else host = host.substr(0, host.find(':'));
  const bool is_loopback = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || is_loopback || host == "[::1]" || host == "169.254.170.2" || host == "169.254.170.23" ||
         host == "[fd00:ec2::23]";
}

}  // namespace

Result<std::optional<Credentials>> container_credentials(const Environment& environment) {
  std::string url;
  if (auto relative = environment.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    url = std::string(kAgent) + *relative;
  } else if (auto full = environment.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    url = *full;
    if (!is_allowed(url))
      return fail(Code::denied,
                  "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or name this machine or a container's agent");
  } else {
    return std::nullopt;
  }
  http::ClientRequest request{.url = url};
  if (auto file = environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    auto token = read_file(*file);
    if (!token) return pass(token.error(), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
    request.headers.push_back({"Authorization", *token});
  } else if (auto token = environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")) {
    request.headers.push_back({"Authorization", *token});
  }
  auto client = client_with(kContainerTimeoutMs);
  if (!client) return pass(client.error());
  auto response = ask(**client, request);
  if (!response) return pass(response.error(), "the container's credentials");
  if (response->status != 200)
    return fail(response->status < 500 ? Code::denied : Code::unavailable,
                "the container's agent answered {} to the question for credentials", response->status);
  auto credentials = parse_json_credentials(response->body);
  if (!credentials) return pass(credentials.error(), "the container's credentials");
  return *credentials;
}

Result<std::optional<Credentials>> instance_credentials(const Environment& environment) {
  if (is_true(environment, "AWS_EC2_METADATA_DISABLED")) return std::nullopt;
  std::string base = environment.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(std::string(kInstance));
  while (base.ends_with('/')) base.pop_back();
  auto client = client_with(kInstanceTimeoutMs);
  if (!client) return pass(client.error());
  auto token = ask(**client, {.method = "PUT",
                              .url = base + "/latest/api/token",
                              .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}});
  if (!token || token->status == 404) return std::nullopt;  // not an instance
  if (token->status != 200)
    return fail(Code::denied, "the instance's metadata service answered {} to the question for a token", token->status);
  const std::string path = base + "/latest/meta-data/iam/security-credentials/";
  const std::vector<http::HeaderField> headers = {{"X-aws-ec2-metadata-token", token->body}};
  auto role = ask(**client, {.url = path, .headers = headers});
  if (!role) return pass(role.error(), "the instance's role");
  if (role->status == 404 || role->body.empty()) return std::nullopt;  // an instance without a role
  if (role->status != 200)
    return fail(Code::denied, "the instance's metadata service answered {} to the question for its role", role->status);
  const std::string name = role->body.substr(0, role->body.find('\n'));
  auto response = ask(**client, {.url = path + name, .headers = headers});
  if (!response) return pass(response.error(), "the credentials of the instance's role {}", name);
  if (response->status != 200)
    return fail(Code::denied, "the instance's metadata service answered {} to the question for the credentials of {}",
                response->status, name);
  auto credentials = parse_json_credentials(response->body);
  if (!credentials) return pass(credentials.error(), "the credentials of the instance's role {}", name);
  return *credentials;
}

Result<Credentials> process_credentials(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "re"), ::pclose);
  if (!pipe) return system_error(errno, "credential_process");
  std::string text;
  std::array<char, 4096> bytes;
  while (const size_t count = std::fread(bytes.data(), 1, bytes.size(), pipe.get())) {
    text.append(bytes.data(), count);
    if (text.size() > kMostBytes) return invalid("credential_process prints too much");
  }
  if (const int status = ::pclose(pipe.release()); status != 0)
    return fail(Code::denied, "credential_process ended with status {}",
                WIFEXITED(status) ? WEXITSTATUS(status) : status);
  auto credentials = parse_json_credentials(text);
  if (!credentials) return pass(credentials.error(), "credential_process");
  return credentials;
}

Result<Credentials> parse_json_credentials(std::string_view text) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(text);
  simdjson::ondemand::document document;
  if (parser.iterate(padded).get(document)) return corrupt("the answer is not JSON");
  const auto field = [&](const char* name) -> std::string {
    std::string_view value;
    if (document.rewind(), document[name].get_string().get(value)) return {};
    return std::string(value);
  };
  if (const std::string code = field("Code"); !code.empty() && code != "Success")
    return fail(Code::denied, "{}: {}", code, field("Message"));
  Credentials credentials{field("AccessKeyId"), field("SecretAccessKey"), field("Token"), {}};
  if (credentials.session_token.empty()) credentials.session_token = field("SessionToken");
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    return corrupt("the answer has no AccessKeyId and SecretAccessKey");
  if (const std::string ends = field("Expiration"); !ends.empty()) {
    credentials.expires_ms = parse_iso_time(ends);
    if (!credentials.expires_ms) return corrupt("the answer's Expiration is no time");
  }
  return credentials;
}

}  // namespace pinflow::aws
