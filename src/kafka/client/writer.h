// Writes records to a Kafka cluster by librdkafka: idempotent, acks=all. Owns a thread that hands out the answers.
#pragma once

#include <memory>

#include "kafka/client/config.h"
#include "kafka/client/topic_writer.h"

namespace pinflow::kafka {

struct WriterOptions {
  std::string client_id = "pinflow";
  double linger_ms = 2;          // how long a record waits for company
  int queue_messages = 100'000;  // records under way; beyond, or beyond the bytes: throttling_quota_exceeded
  int64_t queue_kbytes = 64 << 10;
  int64_t max_message_bytes = 2 << 20;  // of one record as it is sent
  int delivery_timeout_ms = 30'000;     // then a record fails with request_timed_out (it may still have been written)
  int unknown_topic_ms = 2'000;         // how long a topic that is not there is waited for
  int answer_timeout_ms = 10'000;       // for each question of list_topics and describe_topic
  int close_timeout_ms = 10'000;        // for the records under way when the writer is destroyed
};

class RdTopicWriter : public TopicWriter {
 public:
  // Connects in the background; a cluster that cannot be reached shows in the records' errors.
  static Result<std::unique_ptr<RdTopicWriter>> open(const ClientConfig& config, WriterOptions options);
  // Waits for the records under way, then fails the rest; every `done` has been called when it returns.
  ~RdTopicWriter() override;

  // `done` is called on the writer's own thread, or before write returns where nothing could be queued.
  void write(std::string topic, std::vector<NewRecord> records, Done done) override;
  // These block for the cluster's answer (answer_timeout_ms each), and never create a topic.
  std::expected<std::vector<std::string>, TopicFailure> list_topics() override;
  std::expected<TopicInfo, TopicFailure> describe_topic(const std::string& name) override;

  // Waits until nothing is under way; unavailable where that takes longer.
  Result<> flush(int timeout_ms);

 private:
  struct State;
  explicit RdTopicWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::kafka
