// All consumer groups of the broker: their members (group.h) in memory, their offsets on disk (offset_store.h).
// Thread-safe. A thread of its own ends sessions and rebalances in time. After a restart members join anew; what was
// committed is still there.
#pragma once

#include <condition_variable>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kafka/broker/broker.h"
#include "kafka/broker/group.h"
#include "kafka/broker/offset_store.h"

namespace pinflow::kafka {

class GroupCoordinator {
 public:
  // The references must outlive it.
  GroupCoordinator(const BrokerOptions& options, OffsetStore& offsets);
  ~GroupCoordinator();  // stops

  // Answers all who wait with not_coordinator (clients look for another), and whoever comes later. May be called again.
  void stop();

  // See group.h; also invalid_group_id, invalid_session_timeout, coordinator_not_available (too many groups).
  void join(const std::string& group, JoinAsk ask, JoinDone done);
  void sync(const std::string& group, SyncAsk ask, SyncDone done);
  KafkaError heartbeat(const std::string& group, const std::string& member, const std::optional<std::string>& instance,
                       int32_t generation);
  KafkaError leave(const std::string& group, const std::string& member, const std::optional<std::string>& instance);

  struct Committer {
    std::string member;
    std::optional<std::string> instance;
    int32_t generation = -1;
  };
  // Durable when it returns none.
  KafkaError commit(const std::string& group, const Committer& by,
                    const std::vector<std::pair<TopicPartition, CommittedOffset>>& offsets);

  // State "Dead" for a group that nobody knows, as Kafka says it.
  GroupView describe(const std::string& group);
  struct Listed {
    std::string group;
    std::string protocol_type;
    std::string state;
  };
  std::vector<Listed> list();

  // non_empty_group, group_id_not_found.
  KafkaError remove(const std::string& group);
  // For each partition none or group_subscribed_to_topic; or the one error for all.
  std::expected<std::vector<KafkaError>, KafkaError> remove_offsets(const std::string& group,
                                                                    const std::vector<TopicPartition>& partitions);

 private:
  void run_clock();
  Group* find(const std::string& group);
  std::string new_member_id(std::string_view prefix);
  void changed(const std::string& group);

  const BrokerOptions& options_;
  OffsetStore& offsets_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::unique_ptr<Group>> groups_;  // with members, or promised ones
  bool stopped_ = false;
  std::thread clock_;
};

}  // namespace pinflow::kafka
