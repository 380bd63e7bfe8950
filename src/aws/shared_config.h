// The files that AWS's tools share: ~/.aws/config and ~/.aws/credentials, INI with profiles.
// Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/environment.h"
#include "base/error.h"

namespace pinflow::aws {

class SharedConfig {
 public:
  using Settings = std::map<std::string, std::string>;

  // AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or the two in ~/.aws; a file that is not there is empty. What both
  // say of a profile, the credentials file says.
  static Result<SharedConfig> read(const Environment& environment);

  // `text` goes over what is there. In the config file sections are [profile NAME] and [default], in the other [NAME].
  // invalid: with file and line.
  Result<> add(std::string_view text, const std::string& file, bool is_config);

  const Settings* profile(const std::string& name) const;
  const std::map<std::string, Settings>& profiles() const { return profiles_; }
  std::optional<std::string> get(const std::string& profile, const std::string& key) const;

 private:
  std::map<std::string, Settings> profiles_;
};

// AWS_PROFILE, AWS_DEFAULT_PROFILE or "default".
std::string profile_name(const Environment& environment);
// Both of the profile named, or where that is empty of profile_name().
// AWS_REGION, AWS_DEFAULT_REGION, the profile's; nothing where none says.
std::optional<std::string> configured_region(const Environment& environment, const SharedConfig& config,
                                             std::string profile = "");
// Of a service ("S3", "STS", "KINESIS"): AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's endpoint_url;
// nothing where none says, or where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
std::optional<std::string> configured_endpoint(const Environment& environment, const SharedConfig& config,
                                               const std::string& service, std::string profile = "");

}  // namespace pinflow::aws
