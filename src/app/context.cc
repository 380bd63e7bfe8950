#include "app/context.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/logging.h"
#include "base/properties.h"
#include "kafka/client/access.h"
#include "pipeline/load.h"
#include "source/credentials.h"

namespace pinflow::app {
namespace {

constexpr std::string_view kDefaultAddresses[][2] = {
    {"gateway", "127.0.0.1:8082"}, {"broker", "127.0.0.1:9092"}, {"streams", "127.0.0.1:4567"}};

Result<Address> parse_address(std::string_view text, std::string_view what) {
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon != std::string_view::npos && colon > 0) {
    const char* end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data() + colon + 1, end, port);
    if (wrong == std::errc() && at == end) return Address{std::string(text.substr(0, colon)), port};
  }
  return invalid("{} '{}' is not HOST:PORT, such as 127.0.0.1:8082", what, text);
}

bool is_part(std::string_view name) {
  return std::any_of(std::begin(kDefaultAddresses), std::end(kDefaultAddresses),
                     [&](const auto& entry) { return entry[0] == name; });
}

// Of the command line, else of the pipeline's settings.
std::string given(const std::string& flag, const Context& context, const char* name) {
  if (!flag.empty()) return flag;
  const auto setting = context.pipeline.settings.find(name);
  return setting == context.pipeline.settings.end() ? "" : setting->second;
}

// --command-config, else the setting, which is relative to the pipeline's folder; empty where neither says.
std::filesystem::path command_config_of(const Context& context) {
  if (!context.options.command_config.empty()) return context.options.command_config;
  const std::string file = given("", context, "command.config");
  return file.empty() ? std::filesystem::path() : context.pipeline.folder / file;
}

}  // namespace

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

std::string Address::text() const { return fmt::format("{}:{}", host, port); }

Result<Context> load_context(const Options& options) {
  std::set<std::string> given;
  if (!options.bootstrap_server.empty()) given.insert("bootstrap.server");
  if (!options.command_config.empty()) given.insert("command.config");
  if (!options.lake.empty()) given.insert("lake");
  if (!options.source.empty()) given.insert("source");
  if (!options.kinesis_endpoint.empty()) given.insert("kinesis.endpoint");
  if (!options.engine.empty()) given.insert("engine");
  auto loaded = pipeline::load(options.pipeline, options.profile, given);
  if (!loaded) return pass(loaded.error());
  return Context{options, std::move(*loaded)};
}

Result<Address> listen_address(const Context& context, std::string_view part, bool alone, bool free_port) {
  std::string text, what = "--listen";
  for (const std::string& given : context.options.listen) {
    const size_t equals = given.find('=');
    if (equals == std::string::npos) {
      if (!alone) return invalid("--listen {} does not say for which part: write --listen {}={}", given, part, given);
      text = given;
    } else {
      const std::string_view name = std::string_view(given).substr(0, equals);
      if (!is_part(name)) {
        return invalid("--listen {}: '{}' is no part; the parts are gateway, broker and streams", given, name);
      }
      if (name == part) text = given.substr(equals + 1);
    }
  }
  if (text.empty() && free_port) return Address{"127.0.0.1", 0};
  if (text.empty()) {
    const std::string name = fmt::format("{}.listen", part == "streams" ? "kinesis" : part);
    const auto setting = context.pipeline.settings.find(name);
    if (setting != context.pipeline.settings.end()) {
      text = setting->second;
      what = fmt::format("{}/pipeline.yaml: {}", context.pipeline.folder.string(), name);
    }
  }
  for (const auto& [name, address] : kDefaultAddresses) {
    if (text.empty() && name == part) text = address;
  }
  auto address = parse_address(text, what);
  if (address && !is_loopback(address->host) && part != "streams") {
    warn("{} listens on {}, beyond this machine, and asks nobody who they are", part, address->text());
  }
  return address;
}

bool names_a_cluster(const Context& context) {
  return !given(context.options.bootstrap_server, context, "bootstrap.server").empty() ||
         !command_config_of(context).empty();
}

Result<kafka::ClientConfig> read_kafka_config(const Context& context, const std::string& embedded) {
  const std::string servers = given(context.options.bootstrap_server, context, "bootstrap.server");
  const auto config = command_config_of(context);
  if (config.empty()) return kafka::client_config(servers.empty() ? embedded : servers);
  auto file = Properties::read(config);
  if (!file) return pass(file.error());
  const bool file_names_it = file->find("bootstrap.servers") != nullptr;
  kafka::ConfigOptions options;
  options.aws_profile = given("", context, "aws.profile");
  // One account's services are in one region, as a rule.
  options.aws_region = given(given("", context, "kinesis.region"), context, "s3.region");
  return kafka::client_config(!servers.empty() || file_names_it ? servers : embedded, &*file, options);
}

Result<kafka::ClientConfig> kafka_config(const Context& context, const std::string& embedded) {
  auto config = read_kafka_config(context, embedded);
  if (!config || !names_a_cluster(context)) return config;
  if (auto checked = check_cluster(*config); !checked) return pass(checked.error());
  return config;
}

Result<> check_cluster(const kafka::ClientConfig& config) {
  constexpr int kTimeoutMs = 5'000;
  auto checked = kafka::check_access(config, kTimeoutMs);
  if (checked || checked.error().code != Code::unavailable) return checked;
  warn("{} (will be tried again)", checked.error().message);
  return {};
}

Result<SourceChoice> source_of(const Context& context) {
  const Options& o = context.options;
  const std::filesystem::path own = o.data / "source.db";
  auto url = source::choose_source(given(o.source, context, "source"), {o.db_creds, o.pipeline}, own);
  if (!url) return pass(url.error());
  const bool chosen = url->kind != source::SourceUrl::Kind::sqlite || url->file != own;
  return SourceChoice{std::move(*url), chosen};
}

}  // namespace pinflow::app
