// The TopicWriter of a broker that lives in the same process: records go straight into its log, by the broker's rules.
// Thread-safe. Each call's records for one partition are one batch (more only where the topic's max.message.bytes asks
// for it), appended in the caller's thread; `done` is called on the log's committing thread, or at once on a refusal.
#pragma once

#include <atomic>
#include <cstdint>

#include "kafka/broker/topic_catalog.h"
#include "kafka/client/topic_writer.h"
#include "log/log.h"

namespace pinflow::kafka {

class LocalTopicWriter : public TopicWriter {
 public:
  // `log` must outlive it. The rules should be those of the broker (BrokerOptions).
  LocalTopicWriter(log::Log& log, TopicRules rules) : log_(log), topics_(log, rules) {}

  // What the log has no room for fails with throttling_quota_exceeded.
  void write(std::string topic, std::vector<NewRecord> records, Done done) override;
  std::expected<std::vector<std::string>, TopicFailure> list_topics() override;
  std::expected<TopicInfo, TopicFailure> describe_topic(const std::string& name) override;

 private:
  void write_one(const std::string& topic, const NewRecord& record, Done done);
  void write_many(const std::string& topic, const std::vector<NewRecord>& records, Done done);
  int32_t partition_for(const NewRecord& record, int32_t partitions, uint32_t turn) const;

  log::Log& log_;
  TopicCatalog topics_;
  std::atomic<uint32_t> turn_ = 0;  // keyless records of a call go to one partition, those of the next to the next
};

}  // namespace pinflow::kafka
