#include "app/kinesis_endpoint.h"

#include "aws/default_credentials.h"
#include "aws/shared_config.h"
#include "base/logging.h"
#include "kinesis/client/client.h"

namespace pinflow::app {
namespace {

constexpr std::string_view kAwsItself = "aws";

std::string setting(const Context& context, const char* name) {
  const auto found = context.pipeline.settings.find(name);
  return found == context.pipeline.settings.end() ? "" : found->second;
}

std::string given(const Context& context) {
  return context.options.kinesis_endpoint.empty() ? setting(context, "kinesis.endpoint")
                                                  : context.options.kinesis_endpoint;
}

// "http://127.0.0.1:4567/" -> "127.0.0.1"
std::string host_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  if (url.starts_with('[')) return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find_first_of(":/")));
}

// "kinesis.eu-west-1.amazonaws.com" -> "eu-west-1"
std::string region_of(const std::string& host) {
  constexpr std::string_view kBegin = "kinesis.";
  const size_t end = host.find(".amazonaws.com");
  if (!host.starts_with(kBegin) || end == host.npos || end <= kBegin.size()) return "";
  return host.substr(kBegin.size(), end - kBegin.size());
}

aws::Credentials any_keys() { return {.access_key_id = "pinflow", .secret_access_key = "pinflow"}; }

}  // namespace

bool names_a_kinesis(const Context& context) { return !given(context).empty(); }

Result<std::shared_ptr<const kinesis::Endpoint>> named_kinesis(const Context& context, int attempts, int timeout_ms) {
  std::string url = given(context);
  if (url.empty()) {
    return not_found(
        "no Kinesis service is named: give --kinesis-endpoint URL (http://127.0.0.1:4567 where `pinflow streams` runs; "
        "aws for AWS's own), or the setting kinesis.endpoint");
  }
  const auto environment = aws::Environment::of_this_process();
  auto config = aws::SharedConfig::read(environment);
  if (!config) return pass(config.error());
  const std::string profile = setting(context, "aws.profile");
  if (url == kAwsItself) url = aws::configured_endpoint(environment, *config, "KINESIS", profile).value_or("");
  const std::string host = host_of(url);
  kinesis::EndpointOptions options{
      .url = url, .region = setting(context, "kinesis.region"), .attempts = attempts, .timeout_ms = timeout_ms};
  if (options.region.empty()) options.region = region_of(host);
  if (options.region.empty())
    options.region = aws::configured_region(environment, *config, profile).value_or("us-east-1");
  auto bundle = environment.variable("AWS_CA_BUNDLE");
  if (!bundle) bundle = config->get(profile.empty() ? aws::profile_name(environment) : profile, "ca_bundle");
  options.ca_file = bundle.value_or("");
  const bool has_keys = environment.variable("AWS_ACCESS_KEY_ID") || environment.variable("AWS_PROFILE") ||
                        !profile.empty() || config->get("default", "aws_access_key_id");
  auto credentials = is_loopback(host) && !has_keys
                         ? std::shared_ptr<aws::CredentialsProvider>(aws::fixed_credentials(any_keys()))
                         : aws::default_credentials({.profile = profile});
  return kinesis::Endpoint::create(std::move(options), std::move(credentials));
}

Result<std::shared_ptr<const kinesis::Endpoint>> kinesis_at(const std::string& url, const std::string& region,
                                                            std::optional<aws::Credentials> keys, int attempts) {
  return kinesis::Endpoint::create({.url = url, .region = region, .attempts = attempts},
                                   aws::fixed_credentials(keys.value_or(any_keys())));
}

namespace {

Result<> make_missing_streams(const Context& context, const std::shared_ptr<const kinesis::Endpoint>& endpoint) {
  kinesis::Client client(endpoint);
  for (const pipeline::RecordType& record : context.pipeline.records) {
    const auto there = client.describe(record.stream);
    if (there) continue;
    if (there.error().code != Code::not_found) return pass(there.error());
    if (endpoint->is_aws()) {
      warn("the stream {} is not there; make it, with as many shards as it needs", record.stream);
      continue;
    }
    const auto made = client.create_stream(record.stream, 1);
    if (!made && made.error().code != Code::already_exists) return made;
  }
  return {};
}

}  // namespace

Result<KinesisEnd> open_kinesis(const Context& context, const Address& listen, bool warns) {
  KinesisEnd end;
  if (names_a_kinesis(context)) {
    auto gateways = named_kinesis(context, kGatewayAttempts);
    if (!gateways) return pass(gateways.error());
    auto workers = named_kinesis(context);
    if (!workers) return pass(workers.error());
    end.for_gateway = std::move(*gateways);
    end.for_workers = std::move(*workers);
    if (auto made = make_missing_streams(context, end.for_workers); !made) return pass(made.error());
    return end;
  }
  auto embedded = EmbeddedStreams::start(context, listen, warns);
  if (!embedded) return pass(embedded.error());
  end.embedded = std::move(*embedded);
  if (auto made = end.embedded->make_streams(context.pipeline); !made) return pass(made.error());
  const EmbeddedStreams& streams = *end.embedded;
  auto gateways = kinesis_at(streams.url(), streams.region(), streams.keys(), kGatewayAttempts);
  if (!gateways) return pass(gateways.error());
  auto workers = kinesis_at(streams.url(), streams.region(), streams.keys());
  if (!workers) return pass(workers.error());
  end.for_gateway = std::move(*gateways);
  end.for_workers = std::move(*workers);
  return end;
}

}  // namespace pinflow::app
