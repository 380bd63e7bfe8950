#include "kafka/client/login.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "aws/default_credentials.h"
#include "aws/shared_config.h"
#include "aws/sts.h"
#include "kafka/client/msk_token.h"
#include "kafka/client/oauth_tokens.h"

namespace pinflow::kafka {
namespace {

constexpr std::string_view kNoCredentials =
    "sasl.jaas.config is needed to log in: \"…PlainLoginModule required username=\\\"…\\\" password=\\\"…\\\";\", or "
    "ScramLoginModule, OAuthBearerLoginModule, IAMLoginModule";

// The options of the module that were asked for, so that the rest can be named.
class Options {
 public:
  explicit Options(const Jaas& jaas) : jaas_(jaas) {}
  std::optional<std::string> get(const std::string& name) {
    asked_.insert(name);
    return jaas_.get(name);
  }
  std::string text(const std::string& name) { return get(name).value_or(""); }
  void name_rest(std::vector<std::string>& ignored) const {
    for (const auto& [name, value] : jaas_.options) {
      if (!asked_.contains(name)) ignored.push_back(fmt::format("{} of sasl.jaas.config", name));
    }
  }
  const Jaas& jaas() const { return jaas_; }

 private:
  const Jaas& jaas_;
  std::set<std::string> asked_;
};

class Login {
 public:
  Login(const LoginKeys& keys, const ConfigOptions& options, ClientConfig& to)
      : keys_(keys), options_(options), to_(to), mechanism_(keys.mechanism) {}

  Result<> add(std::vector<std::string>& ignored) {
    if (mechanism_ == "GSSAPI") {
      return unsupported("sasl.mechanism GSSAPI (Kerberos) is not spoken here; use PLAIN, SCRAM, OAUTHBEARER or TLS");
    }
    constexpr std::string_view known[] = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"};
    if (std::ranges::find(known, mechanism_) == std::end(known)) {
      return invalid(
          "sasl.mechanism '{}' is none that is known: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER and "
          "AWS_MSK_IAM are",
          mechanism_);
    }
    Options module(keys_.jaas ? *keys_.jaas : none_);
    auto done = by_module(module);
    if (!done) return done;
    module.name_rest(ignored);
    return {};
  }

 private:
  void put(std::string_view key, std::string value) { to_.properties.emplace_back(key, std::move(value)); }

  Result<> by_module(Options& module) {
    const std::string& name = module.jaas().module;
    const bool msk =
        mechanism_ == "AWS_MSK_IAM" || name == "IAMLoginModule" ||
        keys_.get("sasl.login.callback.handler.class").value_or("").ends_with("IAMOAuthBearerLoginCallbackHandler");
    if (msk) return msk_iam(module);
    if (name == "PlainLoginModule") return by_password(module, {"PLAIN"});
    if (name == "ScramLoginModule") return by_password(module, {"SCRAM-SHA-256", "SCRAM-SHA-512"});
    if (name == "OAuthBearerLoginModule" || (name.empty() && mechanism_ == "OAUTHBEARER")) return bearer(module);
    if (name.empty()) return without_module();
    return unsupported(
        "{} is a login module that is not known here; PlainLoginModule, ScramLoginModule, "
        "OAuthBearerLoginModule and IAMLoginModule are",
        name);
  }

  // librdkafka's own keys, sasl.username and sasl.password, do as well.
  Result<> without_module() {
    if (!to_.get("sasl.username").empty() && !to_.get("sasl.password").empty() && !mechanism_.empty()) {
      put("sasl.mechanism", mechanism_);
      return {};
    }
    return invalid("{}", kNoCredentials);
  }

  Result<> by_password(Options& module, const std::vector<std::string>& mechanisms) {
    auto user = module.get("username"), password = module.get("password");
    if (!user || !password || user->empty())
      return invalid("sasl.jaas.config lacks {}", !user || user->empty() ? "username=\"…\"" : "password=\"…\"");
    if (mechanism_.empty() && mechanisms.size() > 1)
      return invalid("sasl.mechanism is needed: one of SCRAM-SHA-256 and SCRAM-SHA-512");
    const std::string mechanism = mechanism_.empty() ? mechanisms.front() : mechanism_;
    if (std::ranges::find(mechanisms, mechanism) == mechanisms.end())
      return invalid("sasl.mechanism {} does not go with {}", mechanism, module.jaas().module);
    put("sasl.mechanism", mechanism);
    put("sasl.username", std::move(*user));
    put("sasl.password", std::move(*password));
    return {};
  }

  Result<> bearer(Options& module) {
    if (!mechanism_.empty() && mechanism_ != "OAUTHBEARER")
      return invalid("sasl.mechanism {} does not go with OAuthBearerLoginModule", mechanism_);
    constexpr std::string_view kExtension = "extension_", kClaim = "unsecuredLoginStringClaim_";
    Extensions extensions;
    std::string subject;
    for (const auto& [name, value] : module.jaas().options) {
      if (name.starts_with(kExtension)) extensions.emplace_back(name.substr(kExtension.size()), *module.get(name));
      else if (name.starts_with(kClaim) && name.ends_with("_sub")) subject = *module.get(name);
    }
    put("sasl.mechanism", "OAUTHBEARER");
    const auto of_key_or = [&](std::string_view key, const std::string& option) {
      auto of_module = module.text(option);
      return of_module.empty() ? keys_.get(key).value_or("") : of_module;
    };
    const std::string url = keys_.get("sasl.oauthbearer.token.endpoint.url").value_or("");
    if (url.starts_with("file:")) {
      auto file = keys_.existing_file(url.starts_with("file://") ? url.substr(7) : url.substr(5));
      if (!file) return pass(file.error(), "sasl.oauthbearer.token.endpoint.url");
      to_.tokens = file_tokens(*file, std::move(extensions), options_.environment.now_ms);
    } else if (!url.empty()) {
      if (!url.starts_with("https://") && !url.starts_with("http://"))
        return invalid("sasl.oauthbearer.token.endpoint.url is '{}'; it must begin with https://, http:// or file:",
                       url);
      ClientCredentials with{url, of_key_or("sasl.oauthbearer.client.credentials.client.id", "clientId"),
                             of_key_or("sasl.oauthbearer.client.credentials.client.secret", "clientSecret"),
                             of_key_or("sasl.oauthbearer.scope", "scope"), ""};
      if (with.id.empty() || with.secret.empty())
        return invalid("sasl.jaas.config lacks clientId=\"…\" or clientSecret=\"…\" for the token endpoint");
      if (const std::string ca = module.text("ssl.truststore.location"); !ca.empty()) {
        auto file = keys_.existing_file(ca);
        if (!file) return pass(file.error(), "ssl.truststore.location of sasl.jaas.config");
        with.ca_file = *file;
      }
      to_.tokens = client_credentials_tokens(std::move(with), std::move(extensions), options_.environment.now_ms);
    } else if (!subject.empty()) {
      int64_t lifetime = 3600;
      if (const std::string text = module.text("unsecuredLoginLifetimeSeconds"); !text.empty()) {
        const char* end = text.data() + text.size();
        if (std::from_chars(text.data(), end, lifetime).ptr != end || lifetime <= 0)
          return invalid("unsecuredLoginLifetimeSeconds of sasl.jaas.config is '{}', no number above 0", text);
      }
      to_.tokens = unsecured_tokens(subject, lifetime, std::move(extensions), options_.environment.now_ms);
    } else {
      return invalid(
          "OAUTHBEARER needs to know where tokens come from: sasl.oauthbearer.token.endpoint.url (https://… with "
          "clientId and clientSecret in sasl.jaas.config, or file:///TOKEN), or unsecuredLoginStringClaim_sub");
    }
    return {};
  }

  Result<> msk_iam(Options& module) {
    const std::string& name = module.jaas().module;
    if (!name.empty() && name != "IAMLoginModule" && name != "OAuthBearerLoginModule")
      return invalid("sasl.mechanism AWS_MSK_IAM does not go with {}; it needs IAMLoginModule", name);
    const auto& environment = options_.environment;
    auto shared = aws::SharedConfig::read(environment);
    if (!shared) return pass(shared.error());
    std::string profile = module.text("awsProfileName");
    if (profile.empty()) profile = options_.aws_profile;
    const auto configured = aws::configured_region(environment, *shared, profile);
    std::string region = msk_region(to_.bootstrap_servers);
    if (region.empty()) region = configured.value_or(options_.aws_region);
    if (region.empty()) {
      return invalid(
          "the MSK cluster's region is told neither by its address (…kafka.REGION.amazonaws.com) nor by "
          "AWS_REGION nor by the profile in ~/.aws/config; set AWS_REGION, or kinesis.region or s3.region in the "
          "pipeline's profile");
    }
    auto credentials = aws::default_credentials({profile, environment});
    if (const std::string arn = module.text("awsRoleArn"); !arn.empty()) {
      if (!arn.starts_with("arn:"))
        return invalid("awsRoleArn '{}' is no role's ARN (arn:aws:iam::ACCOUNT:role/NAME)", arn);
      const std::string key = module.text("awsRoleAccessKeyId"), secret = module.text("awsRoleSecretAccessKey");
      if (key.empty() != secret.empty())
        return invalid("awsRoleAccessKeyId and awsRoleSecretAccessKey need each other");
      if (!key.empty()) credentials = aws::fixed_credentials({key, secret, module.text("awsRoleSessionToken"), {}});
      std::string sts_region = module.text("awsStsRegion");
      if (sts_region.empty()) sts_region = configured.value_or(region);
      credentials = aws::role_credentials(
          std::move(credentials),
          aws::sts_endpoint(sts_region, aws::configured_endpoint(environment, *shared, "STS", profile).value_or("")),
          {arn, module.text("awsRoleSessionName"), module.text("awsRoleExternalId")}, environment);
    }
    put("sasl.mechanism", "OAUTHBEARER");
    to_.msk_iam = true;
    to_.tokens = msk_tokens(region, std::move(credentials), environment.now_ms);
    return {};
  }

  const LoginKeys& keys_;
  const ConfigOptions& options_;
  ClientConfig& to_;
  const std::string mechanism_;
  const Jaas none_;
};

}  // namespace

Result<> add_login(const LoginKeys& keys, const ConfigOptions& options, ClientConfig& to,
                   std::vector<std::string>& ignored) {
  return Login(keys, options, to).add(ignored);
}

}  // namespace pinflow::kafka
