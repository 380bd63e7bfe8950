#include "aws/default_credentials.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "aws/machine_credentials.h"
#include "aws/renewed.h"
#include "aws/shared_config.h"
#include "base/files.h"

namespace pinflow::aws {
namespace {

using Found = Renewed::Found;

Result<std::optional<Credentials>> environment_credentials(const Environment& environment) {
  const auto key = environment.variable("AWS_ACCESS_KEY_ID");
  const auto secret = environment.variable("AWS_SECRET_ACCESS_KEY");
  if (!key && !secret) return std::nullopt;
  if (!key || !secret)
    return fail(Code::denied, "{} is set without {}", key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
  return Credentials{*key, *secret, environment.variable("AWS_SESSION_TOKEN").value_or(""), {}};
}

// One look through all the places.
class Chain {
 public:
  explicit Chain(const ChainOptions& options) : environment_(options.environment), named_(options.profile) {}

  Result<Found> find() {
    if (named_.empty()) {
      auto own = environment_credentials(environment_);
      if (!own) return pass(own.error());
      if (*own) return Found{**own, "the environment"};
    }
    auto config = SharedConfig::read(environment_);
    if (!config) return pass(config.error());
    config_ = std::move(*config);
    if (const auto file = environment_.variable("AWS_WEB_IDENTITY_TOKEN_FILE"); file && named_.empty()) {
      const auto arn = environment_.variable("AWS_ROLE_ARN");
      if (!arn) return fail(Code::denied, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
      return by_web_identity({*arn, environment_.variable("AWS_ROLE_SESSION_NAME").value_or("")}, *file,
                             "a web identity");
    }
    const std::string name = named_.empty() ? profile_name(environment_) : named_;
    if (config_.profile(name)) {
      auto of_profile = profile(name);
      if (!of_profile || *of_profile) return of_profile ? Result<Found>(**of_profile) : pass(of_profile.error());
    } else if (!named_.empty() || name != "default") {
      return fail(Code::denied, "the AWS profile '{}' stands in neither shared file", name);
    }
    auto container = container_credentials(environment_);
    if (!container) return pass(container.error());
    if (*container) return Found{**container, "the container's agent"};
    auto instance = instance_credentials(environment_);
    if (!instance) return pass(instance.error());
    if (*instance) return Found{**instance, "the instance's role"};
    return fail(
        Code::denied,
        "no AWS credentials: AWS_ACCESS_KEY_ID is not set, the profile '{}' in ~/.aws has none, there is no web "
        "identity, no container's agent and no instance's role. Set the first two, or run `aws configure`",
        name);
  }

 private:
  std::string setting(const std::string& profile, const char* key) const {
    return config_.get(profile, key).value_or("");
  }

  // Nothing where the profile has no credentials.
  Result<std::optional<Found>> profile(const std::string& name) {
    const std::string from = fmt::format("the profile {}", name);
    if (!seen_.insert(name).second) return keys_of(name, from);  // a role whose source is its own profile
    if (seen_.size() > kLongestChain) return fail(Code::denied, "{}: its source_profile leads too far", from);
    if (const std::string arn = setting(name, "role_arn"); !arn.empty()) {
      auto role = role_of(name, arn);
      if (!role) return pass(role.error());
      if (const std::string file = setting(name, "web_identity_token_file"); !file.empty())
        return by_web_identity(*role, file, from);
      auto source = source_of(name);
      if (!source) return pass(source.error(), "{}", from);
      auto lent = assume_role(sts(name), *role, *source, environment_.now_ms());
      if (!lent) return pass(lent.error(), "{}", from);
      return Found{*lent, fmt::format("{} (role {})", from, arn)};
    }
    auto keys = keys_of(name, from);
    if (!keys || *keys) return keys;
    if (const std::string command = setting(name, "credential_process"); !command.empty()) {
      auto made = process_credentials(command);
      if (!made) return pass(made.error(), "{}", from);
      return Found{*made, from + "'s credential_process"};
    }
    if (!setting(name, "sso_session").empty() || !setting(name, "sso_start_url").empty())
      return unsupported(
          "{} signs in by SSO, which is not done here: run `aws configure export-credentials --profile {} --format "
          "env` and set what it prints",
          from, name);
    return std::nullopt;
  }

  Result<std::optional<Found>> keys_of(const std::string& name, const std::string& from) const {
    const std::string key = setting(name, "aws_access_key_id"), secret = setting(name, "aws_secret_access_key");
    if (key.empty() && secret.empty()) return std::nullopt;
    if (key.empty() || secret.empty())
      return fail(Code::denied, "{} has only one of aws_access_key_id and aws_secret_access_key", from);
    return Found{{key, secret, setting(name, "aws_session_token"), {}}, from};
  }

  // What the profile's role is assumed with.
  Result<Credentials> source_of(const std::string& name) {
    if (const std::string source = setting(name, "source_profile"); !source.empty()) {
      if (!config_.profile(source)) return fail(Code::denied, "its source_profile '{}' is not there", source);
      auto found = profile(source);
      if (!found) return pass(found.error());
      if (!*found) return fail(Code::denied, "its source_profile '{}' has no credentials", source);
      return (*found)->credentials;
    }
    const std::string place = setting(name, "credential_source");
    Result<std::optional<Credentials>> found = std::nullopt;
    if (place == "Environment") found = environment_credentials(environment_);
    else if (place == "EcsContainer") found = container_credentials(environment_);
    else if (place == "Ec2InstanceMetadata") found = instance_credentials(environment_);
    else
      return fail(Code::denied,
                  "role_arn needs a source_profile, a web_identity_token_file, or a credential_source of Environment, "
                  "EcsContainer or Ec2InstanceMetadata");
    if (!found) return pass(found.error());
    if (!*found) return fail(Code::denied, "its credential_source {} has no credentials", place);
    return **found;
  }

  Result<Role> role_of(const std::string& name, const std::string& arn) const {
    Role role{arn, setting(name, "role_session_name"), setting(name, "external_id")};
    if (const std::string seconds = setting(name, "duration_seconds"); !seconds.empty()) {
      const char* end = seconds.data() + seconds.size();
      if (std::from_chars(seconds.data(), end, role.duration_seconds).ptr != end)
        return invalid("the profile {}: duration_seconds '{}' is no number", name, seconds);
    }
    return role;
  }

  StsEndpoint sts(const std::string& profile) const {
    return sts_endpoint(configured_region(environment_, config_, profile).value_or("us-east-1"),
                        configured_endpoint(environment_, config_, "STS", profile).value_or(""));
  }

  Result<Found> by_web_identity(const Role& role, const std::string& file, const std::string& from) const {
    auto token = read_file(file);
    if (!token) return pass(token.error(), "the web identity's token");
    while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
    auto lent = assume_role_with_web_identity(sts(profile_name(environment_)), role, *token, environment_.now_ms());
    if (!lent) return pass(lent.error());
    return Found{*lent, fmt::format("{} (role {})", from, role.arn)};
  }

  static constexpr size_t kLongestChain = 8;
  const Environment& environment_;
  const std::string named_;
  SharedConfig config_;
  std::set<std::string> seen_;
};

}  // namespace

std::shared_ptr<CredentialsProvider> default_credentials(ChainOptions options) {
  auto now = options.environment.now_ms;
  return std::make_shared<Renewed>([options = std::move(options)] { return Chain(options).find(); }, std::move(now));
}

std::shared_ptr<CredentialsProvider> role_credentials(std::shared_ptr<CredentialsProvider> base, StsEndpoint sts,
                                                      Role role, Environment environment) {
  auto now = environment.now_ms;
  return std::make_shared<Renewed>(
      [base = std::move(base), sts = std::move(sts), role = std::move(role), now]() -> Result<Found> {
        auto with = base->get();
        if (!with) return pass(with.error());
        auto lent = assume_role(sts, role, *with, now());
        if (!lent) return pass(lent.error());
        return Found{*lent, fmt::format("the role {}", role.arn)};
      },
      now);
}

}  // namespace pinflow::aws
