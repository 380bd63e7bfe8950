#include "app/services.h"

#include <algorithm>
#include <future>

#include "base/shutdown.h"

namespace pinflow::app {
namespace {

// An address that cannot be had, with the flag that chooses another.
std::unexpected<Error> at_listening(const Error& error, std::string_view part) {
  return fail(error.code, "{}; the flag is --listen {}=HOST:PORT", error.message, part);
}

}  // namespace

Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::start(const Context& context, const Address& listen) {
  auto made = std::unique_ptr<EmbeddedBroker>(new EmbeddedBroker);
  const std::filesystem::path folder = context.options.data / "log";
  auto log = log::Log::open(folder, {});
  if (!log) return pass(log.error());
  made->log_ = std::move(*log);
  kafka::BrokerOptions options;
  options.host = listen.host;
  options.port = listen.port;
  options.auto_create_topics = !context.options.no_auto_create;
  auto broker = kafka::Broker::start(options, *made->log_, folder / "groups");
  if (!broker) return at_listening(broker.error(), "broker");
  made->broker_ = std::move(*broker);
  kafka::TopicRules rules;
  rules.auto_create = options.auto_create_topics;
  made->writer_ = std::make_unique<kafka::LocalTopicWriter>(*made->log_, rules);
  made->host_ = listen.host;
  return made;
}

std::string EmbeddedBroker::address() const { return Address{host_, broker_->port()}.text(); }

void EmbeddedBroker::stop() {
  if (broker_) broker_->stop();
  writer_.reset();
  broker_.reset();
  log_.reset();
}

Result<std::unique_ptr<gateway::Gateway>> start_gateway(const Address& listen, kafka::TopicWriter& writer,
                                                        std::shared_ptr<const kinesis::Endpoint> streams) {
  gateway::GatewayOptions options;
  options.streams = std::move(streams);
  options.why_no_streams =
      "this gateway has no Kinesis service behind it. Start it with --kinesis-endpoint URL (http://127.0.0.1:4567 is "
      "where `pinflow streams` listens; aws is AWS's own), or set kinesis.endpoint; `pinflow up` has one of its own";
  options.http.host = listen.host;
  options.http.port = listen.port;
  auto gateway = gateway::Gateway::start(options, writer);
  if (!gateway) return at_listening(gateway.error(), "gateway");
  return gateway;
}

Result<std::unique_ptr<sink::Sink>> start_sink(const Context& context, object::Store& lake,
                                               const kafka::ClientConfig& config, bool one_pass) {
  sink::SinkOptions options;
  options.wait_when_denied = !one_pass;
  options.name = context.pipeline.id;
  for (const pipeline::RecordType& record : context.pipeline.records) options.topics.push_back(record.topic);
  if (context.options.flush_size) options.rotation.flush_size = *context.options.flush_size;
  return sink::Sink::start(std::move(options), lake, config);
}

Result<> catch_up(sink::Sink& sink, std::optional<std::chrono::seconds> limit) {
  auto caught_up = std::async(std::launch::async, [&sink] { return sink.run_until_caught_up(); });
  const auto start = std::chrono::steady_clock::now();
  while (caught_up.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
    const bool over = limit ? std::chrono::steady_clock::now() - start >= *limit : stop_requested();
    if (!over) continue;
    (void)sink.stop();
    break;
  }
  return caught_up.get();
}

Result<> make_topics(const pipeline::Pipeline& pipeline, kafka::Admin& admin) {
  auto there = admin.list_topics();
  if (!there) return pass(there.error());
  for (const pipeline::RecordType& record : pipeline.records) {
    if (std::find(there->begin(), there->end(), record.topic) != there->end()) continue;
    kafka::NewTopic topic;
    topic.name = record.topic;
    auto made = admin.create_topic(topic);
    if (!made && made.error().code != Code::already_exists) return made;
  }
  return {};
}

Result<std::map<kafka::TopicPartition, int64_t>> ends_of(const pipeline::Pipeline& pipeline, kafka::Admin& admin) {
  std::map<kafka::TopicPartition, int64_t> ends;
  for (const pipeline::RecordType& record : pipeline.records) {
    auto topic = admin.describe_topic(record.topic);
    if (!topic) return pass(topic.error());
    for (const kafka::PartitionInfo& partition : topic->partitions) {
      const kafka::TopicPartition at{record.topic, partition.partition};
      auto watermarks = admin.watermarks(at);
      if (!watermarks) return pass(watermarks.error());
      ends[at] = watermarks->high;
    }
  }
  return ends;
}

}  // namespace pinflow::app
