#include "app/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>

#include "app/counts.h"
#include "app/kinesis_endpoint.h"
#include "app/lake_store.h"
#include "app/memory.h"
#include "app/posting.h"
#include "app/schemas.h"
#include "app/services.h"
#include "app/sink_watch.h"
#include "app/stream_part.h"
#include "app/stream_watch.h"
#include "base/logging.h"
#include "base/properties.h"
#include "base/shutdown.h"
#include "kafka/client/writer.h"
#include "object/directory_store.h"
#include "sink/connector.h"

namespace pinflow::app {
namespace {

constexpr std::string_view kDefaultBroker = "127.0.0.1:9092";

void print(std::string_view part, const std::string& where) {
  fmt::print("{:<9} {}\n", part, where);
  std::fflush(stdout);
}

void print_ready() {
  fmt::print("ready: Ctrl-C stops\n");
  std::fflush(stdout);
}

// The store that a connector's file names, or the lake.
Result<std::unique_ptr<object::Store>> open_store(const Context& context, const sink::Connector& connector) {
  if (!connector.folder.empty()) return object::open_directory(connector.folder);
  if (!connector.s3) return open_lake(context);
  return open_s3_lake(context, *connector.s3,
                      connector.keys ? std::shared_ptr(aws::fixed_credentials(*connector.keys)) : nullptr);
}

// Until a stop is asked for, or the sink has failed by itself.
Result<> wait(const sink::Sink* sink) {
  while (!wait_for_stop(std::chrono::milliseconds(500))) {
    if (sink != nullptr) {
      if (auto failure = sink->failure()) return std::unexpected(*failure);
    }
  }
  return {};
}

// Lets the sink take what is in the log, for as long as a drain may last, and stops it. What is left then is in the
// log, for the next start.
Result<> drain(sink::Sink& sink) {
  constexpr std::chrono::seconds kDrain(10);
  const auto caught_up = catch_up(sink, kDrain);
  const auto stopped = sink.stop();
  if (!caught_up && caught_up.error().code != Code::cancelled) return caught_up;
  return stopped;
}

// The same for the streams.
Result<> drain(stream::Streams& streams) {
  constexpr std::chrono::seconds kDrain(10);
  const auto caught_up = catch_up(streams, kDrain);
  const auto stopped = streams.stop();
  return caught_up ? stopped : caught_up;
}

// Where the topics are: in the broker of this process, or in the cluster that the user names.
struct KafkaEnd {
  std::unique_ptr<EmbeddedBroker> embedded;
  std::unique_ptr<kafka::RdTopicWriter> remote;
  kafka::ClientConfig config;

  kafka::TopicWriter& writer() { return embedded ? embedded->writer() : *remote; }
  void stop() {
    remote.reset();
    if (embedded) embedded->stop();
  }
};

Result<KafkaEnd> open_kafka(const Context& context) {
  KafkaEnd end;
  if (!names_a_cluster(context)) {
    auto address = listen_address(context, "broker", false);
    if (!address) return pass(address.error());
    auto broker = EmbeddedBroker::start(context, *address);
    if (!broker) return pass(broker.error());
    end.embedded = std::move(*broker);
  }
  auto config = kafka_config(context, end.embedded ? end.embedded->address() : "");
  if (!config) return pass(config.error());
  end.config = std::move(*config);
  if (!end.embedded) {
    auto writer = kafka::RdTopicWriter::open(end.config, {});
    if (!writer) return pass(writer.error());
    end.remote = std::move(*writer);
  }
  return end;
}

}  // namespace

Result<int> up(const Context& context) {
  auto gateway_address = listen_address(context, "gateway", false);
  if (!gateway_address) return pass(gateway_address.error());
  auto streams_address = listen_address(context, "streams", false);
  if (!streams_address) return pass(streams_address.error());
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  tidy_uploads(**lake);
  auto end = open_kafka(context);
  if (!end) return pass(end.error());
  const kafka::ClientConfig& config = end->config;
  auto admin = kafka::Admin::open(config);
  if (!admin) return pass(admin.error());
  if (auto made = make_topics(context.pipeline, **admin); !made) return pass(made.error());
  admin->reset();
  auto kinesis = open_kinesis(context, *streams_address);
  if (!kinesis) return pass(kinesis.error());
  auto gateway = start_gateway(*gateway_address, end->writer(), kinesis->for_gateway);
  if (!gateway) return pass(gateway.error());
  auto sink = start_sink(context, **lake, config, false);
  if (!sink) return pass(sink.error());
  const pipeline::Pipeline stream_pipeline = with_stream_repeats(context);
  auto streams = start_stream(context, stream_pipeline, **lake, kinesis->for_workers, config);
  if (!streams) return pass(streams.error());
  auto watch = watch_streams(**streams, std::nullopt);
  if (!watch) return pass(watch.error());
  if (end->embedded) print("broker", end->embedded->address());
  else print("kafka", config.bootstrap_servers);
  print("streams", kinesis->for_workers->url());
  print("gateway", (*gateway)->invoke_url());
  print("lake", (*lake)->url());
  print_ready();

  std::optional<BackgroundPosting> posting;
  if (context.options.rate > 0) {
    auto started = BackgroundPosting::start(context, (*gateway)->invoke_url(), {.batch = true, .stream = true});
    if (!started) return pass(started.error());
    posting.emplace(std::move(*started));
  }
  const auto waited = wait(sink->get());  // a stream worker that ends by an error ends nothing else
  if (posting) posting->finish();
  (*gateway)->stop();
  watch->reset();
  auto stream_drained = std::async(std::launch::async, [&streams] { return drain(**streams); });
  const auto drained = drain(**sink);
  const auto rows_drained = stream_drained.get();
  const std::string rows = as_line((*streams)->counts());
  const auto stream_failed = (*streams)->failure();  // which was said
  streams->reset();
  const sink::SinkCounts counts = (*sink)->counts();
  sink->reset();  // clients go before their broker, or they complain of it
  end->stop();
  kinesis->stop();
  fmt::print("stopped: {} records acknowledged, {} in {} objects, {} dead\n",
             grouped((*gateway)->counts().records_acknowledged), grouped(counts.in_objects), grouped(counts.objects),
             grouped(counts.dead));
  fmt::print("stream: {}\n", rows);
  if (!waited) return pass(waited.error());
  if (!drained) return pass(drained.error());
  if (!rows_drained && !stream_failed) return pass(rows_drained.error());
  return stream_failed ? 1 : 0;
}

Result<int> run_broker(const Context& context) {
  auto address = listen_address(context, "broker", true);
  if (!address) return pass(address.error());
  auto broker = EmbeddedBroker::start(context, *address);
  if (!broker) return pass(broker.error());
  print("broker", (*broker)->address());
  print_ready();
  if (auto waited = wait(nullptr); !waited) return pass(waited.error());
  (*broker)->stop();
  return 0;
}

Result<int> run_gateway(const Context& context) {
  auto address = listen_address(context, "gateway", true);
  if (!address) return pass(address.error());
  Result<kafka::ClientConfig> config = std::unexpected(Error{});
  if (context.options.file.empty()) {
    config = kafka_config(context, std::string(kDefaultBroker));
  } else {
    auto file = Properties::read(context.options.file);
    if (!file) return pass(file.error());
    const auto profile = context.pipeline.settings.find("aws.profile");
    kafka::ConfigOptions options{.prefixes = {"client.", "producer."}};
    if (profile != context.pipeline.settings.end()) options.aws_profile = profile->second;
    config = kafka::client_config(context.options.bootstrap_server, &*file, options);
    if (config) {
      if (auto checked = check_cluster(*config); !checked) return pass(checked.error());
    }
  }
  if (!config) return pass(config.error());
  auto writer = kafka::RdTopicWriter::open(*config, {});
  if (!writer) return pass(writer.error());
  std::shared_ptr<const kinesis::Endpoint> streams;
  if (names_a_kinesis(context)) {
    auto named = named_kinesis(context, kGatewayAttempts);
    if (!named) return pass(named.error());
    streams = std::move(*named);
  }
  auto gateway = start_gateway(*address, **writer, streams);
  if (!gateway) return pass(gateway.error());
  print("kafka", config->bootstrap_servers);
  if (streams) print("kinesis", streams->url());
  print("gateway", (*gateway)->invoke_url());
  print_ready();
  if (auto waited = wait(nullptr); !waited) return pass(waited.error());
  (*gateway)->stop();
  const gateway::GatewayCounts counts = (*gateway)->counts();
  fmt::print("stopped: {} records acknowledged\n",
             grouped(counts.records_acknowledged + counts.stream_records_acknowledged));
  return 0;
}

Result<int> run_sink(const Context& context) {
  keep_memory_small();
  std::optional<Address> metrics;
  if (!context.options.listen.empty()) {
    auto address = listen_address(context, "metrics", true);
    if (!address) return pass(address.error());
    metrics = *address;
  }
  auto config = kafka_config(context, std::string(kDefaultBroker));
  if (!config) return pass(config.error());
  std::unique_ptr<object::Store> store;
  sink::Connector connector;
  if (!context.options.file.empty()) {
    auto properties = Properties::read(context.options.file);
    if (!properties) return pass(properties.error());
    auto read = sink::read_connector(*properties, !context.options.lake.empty());
    if (!read) return pass(read.error());
    connector = std::move(*read);
    for (const std::string& remark : connector.remarks) info("{}", remark);
    if (context.options.flush_size) connector.options.rotation.flush_size = *context.options.flush_size;
    if (auto given = give_schemas(context.pipeline, connector.options); !given) return pass(given.error());
  }
  auto lake = open_store(context, connector);
  if (!lake) return pass(lake.error());
  if (context.options.until_caught_up) {
    if (auto reached = check_lake(**lake); !reached) return pass(reached.error());
  }
  tidy_uploads(**lake);
  connector.options.wait_when_denied = !context.options.until_caught_up;
  auto sink = context.options.file.empty() ? start_sink(context, **lake, *config, context.options.until_caught_up)
                                           : sink::Sink::start(connector.options, **lake, *config);
  if (!sink) return pass(sink.error());
  auto watch = SinkWatch::start(**sink, *config, metrics);
  if (!watch) return pass(watch.error());
  print("kafka", config->bootstrap_servers);
  print("lake", (*lake)->url());
  if (metrics) print("metrics", (*watch)->address());
  Result<> waited;
  if (context.options.until_caught_up) {
    waited = catch_up(**sink);
  } else {
    print_ready();
    waited = wait(sink->get());
  }
  const bool has_partitions = !(*sink)->counts().partitions.empty();
  watch->reset();
  const auto stopped = (*sink)->stop();
  const sink::SinkCounts counts = (*sink)->counts();
  if (!has_partitions && waited) {
    warn(
        "every partition is with other members of this sink's group (does `pinflow up` run?): they write to their own "
        "lake");
  }
  fmt::print("stopped: {} records in {} objects, {} dead, {} were there already\n", grouped(counts.in_objects),
             grouped(counts.objects), grouped(counts.dead), grouped(counts.skipped));
  if (!waited) return pass(waited.error());
  if (!stopped) return pass(stopped.error());
  return 0;
}

}  // namespace pinflow::app
