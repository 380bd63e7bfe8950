#include "kafka/client/oauth_tokens.h"

#include <simdjson.h>

#include <mutex>

#include "aws/canonical.h"
#include "base/base64url.h"
#include "base/bytes.h"
#include "base/files.h"
#include "base/json.h"
#include "http/client.h"

namespace pinflow::kafka {
namespace {

constexpr int kTimeoutMs = 10'000;
constexpr int64_t kNoExpiryMs = 300'000;  // how long a token is used that does not say when it ends
constexpr size_t kMaxTokenBytes = 1 << 20;

// A number that may have a fraction, as RFC 7519's NumericDate may.
std::optional<double> number_of(simdjson::dom::element object, const char* name) {
  double value = 0;
  if (object[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

Result<Token> token_of(std::string jwt, Extensions extensions, int64_t now_ms, std::optional<int64_t> expires_ms) {
  auto claims = read_claims(jwt);
  if (!claims && !expires_ms) return pass(claims.error());
  if (claims && claims->expires_ms) expires_ms = claims->expires_ms;
  Token token{std::move(jwt), expires_ms.value_or(now_ms + kNoExpiryMs), claims ? claims->subject : "",
              std::move(extensions)};
  if (token.expires_ms <= now_ms)
    return fail(Code::denied, "the token has ended {} s ago", (now_ms - token.expires_ms) / 1000);
  return token;
}

class FileTokens final : public TokenSource {
 public:
  FileTokens(std::filesystem::path file, Extensions extensions, std::function<int64_t()> now_ms)
      : file_(std::move(file)), extensions_(std::move(extensions)), now_ms_(std::move(now_ms)) {}

  Result<Token> get() override {
    auto text = read_file(file_);
    if (!text) return fail(Code::denied, "the bearer token: {}", text.error().message);
    while (!text->empty() && std::isspace(static_cast<unsigned char>(text->back()))) text->pop_back();
    auto token = token_of(std::move(*text), extensions_, now_ms_(), std::nullopt);
    if (!token) return fail(Code::denied, "{}: {}; put a new one there", file_.string(), token.error().message);
    return token;
  }

 private:
  const std::filesystem::path file_;
  const Extensions extensions_;
  const std::function<int64_t()> now_ms_;
};

class LentTokens final : public TokenSource {
 public:
  LentTokens(ClientCredentials with, Extensions extensions, std::function<int64_t()> now_ms)
      : with_(std::move(with)), extensions_(std::move(extensions)), now_ms_(std::move(now_ms)) {}

  Result<Token> get() override {
    const std::lock_guard lock(mutex_);
    const int64_t now = now_ms_();
    // Each client asks at four fifths of a token's life: by then those that share this source shall get a new one.
    if (kept_ && now < asked_at_ms_ + (kept_->expires_ms - asked_at_ms_) / 2) return *kept_;
    auto token = ask(now);
    if (!token) return pass(token.error(), "asking {} for a bearer token", with_.url);
    kept_ = std::move(*token);
    kept_->extensions = extensions_;
    asked_at_ms_ = now;
    return *kept_;
  }

 private:
  Result<Token> ask(int64_t now) const {
    http::ClientOptions options;
    options.timeout_ms = kTimeoutMs;
    options.ca_file = with_.ca_file;
    options.max_response_bytes = kMaxTokenBytes;
    auto client = http::Client::create(options);
    if (!client) return pass(client.error());
    http::ClientRequest request{"POST", with_.url, {}, "grant_type=client_credentials"};
    if (!with_.scope.empty()) request.body += "&scope=" + aws::percent_encode(with_.scope, false);
    request.headers = {{"content-type", "application/x-www-form-urlencoded"},
                       {"accept", "application/json"},
                       {"authorization", "Basic " + base64_encode(with_.id + ":" + with_.secret)}};
    const http::Outcome outcome = (*client)->request(std::move(request));
    if (!outcome.response) return pass(outcome.response.error());
    return parse_token_answer(outcome.response->status, outcome.response->body, now);
  }

  const ClientCredentials with_;
  const Extensions extensions_;
  const std::function<int64_t()> now_ms_;
  std::mutex mutex_;
  std::optional<Token> kept_;
  int64_t asked_at_ms_ = 0;
};

class UnsecuredTokens final : public TokenSource {
 public:
  UnsecuredTokens(std::string subject, int64_t lifetime_s, Extensions extensions, std::function<int64_t()> now_ms)
      : subject_(std::move(subject)),
        lifetime_s_(lifetime_s),
        extensions_(std::move(extensions)),
        now_ms_(std::move(now_ms)) {}

  Result<Token> get() override {
    const int64_t now = now_ms_() / 1000;
    const std::string claims =
        fmt::format(R"({{"sub":{},"iat":{},"exp":{}}})", json_string(subject_), now, now + lifetime_s_);
    return Token{base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(claims) + ".",
                 (now + lifetime_s_) * 1000, subject_, extensions_};
  }

 private:
  const std::string subject_;
  const int64_t lifetime_s_;
  const Extensions extensions_;
  const std::function<int64_t()> now_ms_;
};

}  // namespace

Result<Claims> read_claims(std::string_view jwt) {
  const size_t first = jwt.find('.');
  const size_t second = first == std::string_view::npos ? first : jwt.find('.', first + 1);
  std::string payload;
  simdjson::dom::parser parser;
  simdjson::dom::element claims;
  if (second == std::string_view::npos || !base64url_decode(jwt.substr(first + 1, second - first - 1), payload) ||
      parser.parse(payload).get(claims) != simdjson::SUCCESS || !claims.is_object()) {
    return invalid("this is no JSON Web Token (three parts of base64 with dots between)");
  }
  Claims found;
  if (const auto exp = number_of(claims, "exp")) found.expires_ms = static_cast<int64_t>(*exp * 1000);
  std::string_view subject;
  if (claims["sub"].get(subject) == simdjson::SUCCESS) found.subject = subject;
  return found;
}

Result<Token> parse_token_answer(int status, std::string_view body, int64_t now_ms) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  const bool is_json =
      parser.parse(simdjson::padded_string(body)).get(answer) == simdjson::SUCCESS && answer.is_object();
  if (status != 200) {
    const auto text = [&](const char* name) {
      std::string_view value;
      const bool there = is_json && answer[name].get(value) == simdjson::SUCCESS;
      return there ? value : std::string_view();
    };
    return fail(status >= 500 || status == 429 ? Code::unavailable : Code::denied, "it answered {} {} {}", status,
                text("error"), text("error_description"));
  }
  std::string_view jwt;
  if (!is_json || answer["access_token"].get(jwt) != simdjson::SUCCESS || jwt.empty()) {
    return fail(Code::denied, "it answered without an access_token: is this a token endpoint?");
  }
  std::optional<int64_t> expires;
  if (const auto seconds = number_of(answer, "expires_in")) expires = now_ms + static_cast<int64_t>(*seconds * 1000);
  return token_of(std::string(jwt), {}, now_ms, expires.value_or(now_ms + kNoExpiryMs));
}

std::shared_ptr<TokenSource> file_tokens(std::filesystem::path file, Extensions extensions,
                                         std::function<int64_t()> now_ms) {
  return std::make_shared<FileTokens>(std::move(file), std::move(extensions), std::move(now_ms));
}

std::shared_ptr<TokenSource> client_credentials_tokens(ClientCredentials with, Extensions extensions,
                                                       std::function<int64_t()> now_ms) {
  return std::make_shared<LentTokens>(std::move(with), std::move(extensions), std::move(now_ms));
}

std::shared_ptr<TokenSource> unsecured_tokens(std::string subject, int64_t lifetime_s, Extensions extensions,
                                              std::function<int64_t()> now_ms) {
  return std::make_shared<UnsecuredTokens>(std::move(subject), lifetime_s, std::move(extensions), std::move(now_ms));
}

}  // namespace pinflow::kafka
