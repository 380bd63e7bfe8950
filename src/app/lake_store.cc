#include "app/lake_store.h"

#include "aws/default_credentials.h"
#include "aws/shared_config.h"
#include "base/logging.h"
#include "object/directory_store.h"

namespace pinflow::app {
namespace {

std::string setting(const Context& context, const char* name) {
  const auto found = context.pipeline.settings.find(name);
  return found == context.pipeline.settings.end() ? "" : found->second;
}

}  // namespace

Result<std::unique_ptr<object::Store>> open_lake(const Context& context, bool for_doctor) {
  const std::string lake = !context.options.lake.empty() ? context.options.lake : setting(context, "lake");
  if (lake.starts_with("s3://")) {
    auto options = object::parse_s3_url(lake);
    if (!options) return pass(options.error(), "--lake");
    if (for_doctor) {
      options->attempts = kDoctorsAttempts;
      options->timeout_ms = kDoctorsTimeoutMs;
    }
    return open_s3_lake(context, std::move(*options));
  }
  constexpr std::string_view kFile = "file://";
  if (lake.starts_with(kFile)) return object::open_directory(lake.substr(kFile.size()));
  if (lake.contains("://")) return invalid("--lake {}: a folder, file:///DIR or s3://BUCKET/PREFIX is meant", lake);
  return object::open_directory(lake.empty() ? context.options.data / "lake" : std::filesystem::path(lake));
}

Result<std::unique_ptr<object::Store>> open_s3_lake(const Context& context, object::S3Options options,
                                                    std::shared_ptr<aws::CredentialsProvider> credentials) {
  const auto environment = aws::Environment::of_this_process();
  auto config = aws::SharedConfig::read(environment);
  if (!config) return pass(config.error());
  const std::string profile = setting(context, "aws.profile");
  if (options.endpoint.empty()) {
    options.endpoint = setting(context, "s3.endpoint");
    if (options.endpoint.empty())
      options.endpoint = aws::configured_endpoint(environment, *config, "S3", profile).value_or("");
    // Who names an endpoint has seldom a name server for each bucket's name under it.
    const std::string style = setting(context, "s3.path_style");
    if (!style.empty() && style != "true" && style != "false")
      return invalid("the setting s3.path_style is '{}'; it must be true or false", style);
    options.path_style = options.path_style || (style.empty() ? !options.endpoint.empty() : style == "true");
  }
  if (options.region.empty()) {
    const std::string region = setting(context, "s3.region");
    if (!region.empty()) options.region = region;
    else if (auto known = aws::configured_region(environment, *config, profile)) options.region = *known;
  }
  if (options.ca_file.empty()) {
    auto bundle = environment.variable("AWS_CA_BUNDLE");
    if (!bundle) bundle = config->get(profile.empty() ? aws::profile_name(environment) : profile, "ca_bundle");
    options.ca_file = bundle.value_or("");
  }
  if (options.spool.empty()) options.spool = context.options.data / "spool";
  if (!credentials) credentials = aws::default_credentials({.profile = profile});
  return object::open_s3(std::move(options), std::move(credentials));
}

Result<> check_lake(object::Store& lake) {
  constexpr std::string_view kFew = "state/topics/";  // an object a topic
  auto asked = lake.list(kFew);
  if (asked) return {};
  return fail(asked.error().code, "the lake {}: {}. `pinflow doctor` looks closer", lake.url(), asked.error().message);
}

void tidy_uploads(object::Store& store) {
  constexpr std::chrono::hours kLeftOver{24};
  const auto aborted = object::abort_leftovers(store, kLeftOver);
  if (!aborted)
    warn("uploads that were left over in {} could not be looked for: {}", store.url(), aborted.error().message);
  else if (*aborted > 0) info("{} uploads that were left over in {} were aborted", *aborted, store.url());
}

}  // namespace pinflow::app
