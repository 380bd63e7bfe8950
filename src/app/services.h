// The parts as one process holds them: the log with its broker, a gateway before it or before a Kafka cluster, the
// sink. Owned by a command (run, up, broker, gateway, sink); started and stopped by its thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/context.h"
#include "gateway/gateway.h"
#include "kafka/broker/broker.h"
#include "kafka/broker/local_writer.h"
#include "kafka/client/admin.h"
#include "kafka/client/config.h"
#include "kafka/client/topic_writer.h"
#include "kinesis/client/endpoint.h"
#include "log/log.h"
#include "sink/sink.h"

namespace pinflow::app {

// DATA/log, and the broker that serves it.
class EmbeddedBroker {
 public:
  // Opens the log (conflict when another process has it) and listens.
  static Result<std::unique_ptr<EmbeddedBroker>> start(const Context& context, const Address& listen);
  ~EmbeddedBroker() { stop(); }

  std::string address() const;  // "127.0.0.1:9092"
  kafka::TopicWriter& writer() { return *writer_; }
  void stop();

 private:
  EmbeddedBroker() = default;

  std::unique_ptr<log::Log> log_;
  std::unique_ptr<kafka::Broker> broker_;
  std::unique_ptr<kafka::LocalTopicWriter> writer_;
  std::string host_;
};

// `streams`: the Kinesis service that /streams stands for; nothing: a request there is told what is missing.
Result<std::unique_ptr<gateway::Gateway>> start_gateway(const Address& listen, kafka::TopicWriter& writer,
                                                        std::shared_ptr<const kinesis::Endpoint> streams = nullptr);

// A sink of the pipeline's topics into the store. In `one_pass` somebody waits for its end, and a store that denies
// what it needs is an error at once.
Result<std::unique_ptr<sink::Sink>> start_sink(const Context& context, object::Store& lake,
                                               const kafka::ClientConfig& config, bool one_pass);

// Waits until all that the topics hold is in the lake: at most `limit` where there is one, else until a stop is asked
// for. Where that comes first the sink is stopped, and the wait ends with cancelled.
Result<> catch_up(sink::Sink& sink, std::optional<std::chrono::seconds> limit = std::nullopt);

// Makes those of the pipeline's topics that the cluster lacks.
Result<> make_topics(const pipeline::Pipeline& pipeline, kafka::Admin& admin);

// The end offsets of every partition of the pipeline's topics.
Result<std::map<kafka::TopicPartition, int64_t>> ends_of(const pipeline::Pipeline& pipeline, kafka::Admin& admin);

}  // namespace pinflow::app
