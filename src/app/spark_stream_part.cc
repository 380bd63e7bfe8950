#include "app/spark_stream_part.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "app/stream_part.h"
#include "base/logging.h"
#include "base/properties.h"
#include "lake/spark_stream.h"

namespace pinflow::app {
namespace {

std::string setting(const Context& context, const char* name) {
  const auto found = context.pipeline.settings.find(name);
  return found == context.pipeline.settings.end() ? "" : found->second;
}

Result<spark::Options> kafka_options(const Context& context) {
  spark::Options options;
  std::filesystem::path file = context.options.command_config;
  if (const std::string named = setting(context, "command.config"); file.empty() && !named.empty())
    file = context.pipeline.folder / named;
  std::string servers = context.options.bootstrap_server;
  if (servers.empty()) servers = setting(context, "bootstrap.server");
  if (!file.empty()) {
    const auto properties = Properties::read(file);
    if (!properties) return pass(properties.error());
    for (const Property& property : properties->all()) {
      if (property.key != "bootstrap.servers") options.emplace_back("kafka." + property.key, property.value);
      else if (servers.empty()) servers = property.value;
    }
  }
  if (servers.empty()) return invalid("--from kafka: name the cluster by --bootstrap-server, as Spark reaches it");
  options.emplace_back("kafka.bootstrap.servers", servers);
  return options;
}

}  // namespace

Result<int> run_stream_on_spark(const Context& context, object::Store& lake, lake::SparkChoice spark) {
  using From = lake::SparkStreamOptions::From;
  if (!context.options.anew.empty()) return invalid("--anew is of the workers on DuckDB; on Spark it means nothing");
  lake::SparkStreamOptions options;
  options.spark = std::move(spark);
  options.until_caught_up = context.options.until_caught_up;
  options.date = context.options.date;
  const auto trigger = trigger_of(context);
  if (!trigger) return pass(trigger.error());
  options.every = fmt::format("{} milliseconds", trigger->count());
  if (context.options.from == "kafka") {
    options.from = From::kafka;
    auto source = kafka_options(context);
    if (!source) return pass(source.error());
    options.source = std::move(*source);
  } else if (context.options.from == "kinesis") {
    options.from = From::kinesis;
    const std::string region = setting(context, "kinesis.region");
    if (!region.empty()) options.source.emplace_back("region", region);
    if (!context.options.kinesis_endpoint.empty())
      options.source.emplace_back("endpointUrl", context.options.kinesis_endpoint);
  }
  options.report = [&](std::string_view text) {
    fmt::print("{:<9} {}\n{:<9} {}\nready: {}\n", "lake", lake.url(), "spark", options.spark.lake, text);
    std::fflush(stdout);
  };
  options.progress = [](std::string_view text) { info("{}", text); };
  const auto counts = lake::run_spark_stream(with_stream_repeats(context), lake, options);
  if (!counts) return pass(counts.error());
  fmt::print("stopped: {}\n", counts->empty() ? "before it had begun" : lake::line_of(*counts));
  return 0;
}

}  // namespace pinflow::app
