#include "aws/shared_config.h"

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "base/files.h"

namespace pinflow::aws {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// "[profile dev]" -> "dev"; empty for sections of other kinds ([sso-session x], [services x]).
std::string profile_of(std::string_view section, bool is_config) {
  section = trimmed(section);
  if (!is_config || section == "default") return std::string(section);
  if (section.starts_with("profile ") || section.starts_with("profile\t"))
    return std::string(trimmed(section.substr(8)));
  return {};
}

}  // namespace

Environment Environment::of_this_process() {
  Environment environment;
  environment.variable = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (!value || !*value) return std::nullopt;
    return value;
  };
  environment.now_ms = pinflow::now_ms;
  environment.home = environment.variable("HOME").value_or("/");
  return environment;
}

Result<SharedConfig> SharedConfig::read(const Environment& environment) {
  SharedConfig config;
  const auto add = [&](const char* variable, const char* standard, bool is_config) -> Result<> {
    const auto given = environment.variable(variable);
    const std::filesystem::path path = given ? std::filesystem::path(*given) : environment.home / ".aws" / standard;
    auto text = read_file(path);
    if (!text) return text.error().code == Code::not_found ? Result<>{} : pass(text.error());
    return config.add(*text, path.string(), is_config);
  };
  if (auto added = add("AWS_CONFIG_FILE", "config", true); !added) return pass(added.error());
  if (auto added = add("AWS_SHARED_CREDENTIALS_FILE", "credentials", false); !added) return pass(added.error());
  return config;
}

Result<> SharedConfig::add(std::string_view text, const std::string& file, bool is_config) {
  Settings* profile = nullptr;
  bool in_section = false;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view content = trimmed(whole);
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if (whole[0] == ' ' || whole[0] == '\t') continue;  // a nested setting ("s3 =" and lines under it): none of ours
    if (content[0] == '[') {
      const size_t close = content.find(']');
      if (close == std::string_view::npos) return invalid("{}:{}: a section has no ']'", file, line);
      const std::string name = profile_of(content.substr(1, close - 1), is_config);
      profile = name.empty() ? nullptr : &profiles_[name];
      in_section = true;
      continue;
    }
    const size_t equals = content.find('=');
    if (equals == std::string_view::npos) return invalid("{}:{}: neither a section nor KEY = VALUE", file, line);
    if (!in_section) return invalid("{}:{}: a setting before the first section", file, line);
    if (!profile) continue;
    std::string_view value = trimmed(content.substr(equals + 1));
    for (const std::string_view comment : {" #", " ;", "\t#", "\t;"})
      value = trimmed(value.substr(0, value.find(comment)));
    (*profile)[std::string(trimmed(content.substr(0, equals)))] = value;
  }
  return {};
}

const SharedConfig::Settings* SharedConfig::profile(const std::string& name) const {
  const auto found = profiles_.find(name);
  return found == profiles_.end() ? nullptr : &found->second;
}

std::optional<std::string> SharedConfig::get(const std::string& name, const std::string& key) const {
  const Settings* settings = profile(name);
  if (!settings) return std::nullopt;
  const auto found = settings->find(key);
  if (found == settings->end() || found->second.empty()) return std::nullopt;
  return found->second;
}

bool is_true(const Environment& environment, const char* name) {
  std::string value = environment.variable(name).value_or("");
  std::ranges::transform(value, value.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return value == "true";
}

std::string profile_name(const Environment& environment) {
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
    if (auto profile = environment.variable(name)) return *profile;
  return "default";
}

std::optional<std::string> configured_region(const Environment& environment, const SharedConfig& config,
                                             std::string profile) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto region = environment.variable(name)) return region;
  return config.get(profile.empty() ? profile_name(environment) : profile, "region");
}

std::optional<std::string> configured_endpoint(const Environment& environment, const SharedConfig& config,
                                               const std::string& service, std::string profile) {
  if (is_true(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) return std::nullopt;
  if (auto url = environment.variable(("AWS_ENDPOINT_URL_" + service).c_str())) return url;
  if (auto url = environment.variable("AWS_ENDPOINT_URL")) return url;
  return config.get(profile.empty() ? profile_name(environment) : profile, "endpoint_url");
}

}  // namespace pinflow::aws
