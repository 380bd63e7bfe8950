#include <algorithm>
#include <chrono>
#include <thread>

#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"

namespace pinflow::kafka {
namespace {

using Clock = std::chrono::steady_clock;
using Topic = FetchResponse::Topic;
using Part = FetchResponse::Topic::Partition;

constexpr std::chrono::milliseconds kLookUp{100};  // while waiting, how often to see whether anybody still wants it
constexpr std::chrono::milliseconds kGather{5};    // after growth that was too little, before looking again
constexpr int16_t kFirstIdVersion = 13;
constexpr int16_t kFirstSessionVersion = 7;
constexpr size_t kAnswerOverhead = 256;

// What a request asks for, with names in place of ids.
struct Wanted {
  struct Partition {
    int32_t partition = 0;
    int64_t offset = 0;
    int64_t max_bytes = 0;
    KafkaError error = KafkaError::none;  // known before reading
  };
  struct TopicWanted {
    std::string name;
    Uuid id;
    std::vector<Partition> partitions;
  };
  std::vector<TopicWanted> topics;
  int64_t max_bytes = 0;
};

Wanted wanted(Services& services, const Call& call, const FetchRequest& request, int64_t max_bytes) {
  Wanted all;
  all.max_bytes = max_bytes;
  for (const auto& asked : request.topics) {
    auto& topic = all.topics.emplace_back();
    topic.name = asked.topic;
    topic.id = asked.topic_id;
    KafkaError error = KafkaError::none;
    if (call.version >= kFirstIdVersion) {
      topic.name = services.topics.name_of(asked.topic_id);
      if (topic.name.empty()) error = KafkaError::unknown_topic_id;
    }
    for (const auto& partition : asked.partitions) {
      const bool ahead = partition.current_leader_epoch > kLeaderEpoch;
      topic.partitions.push_back({partition.partition, partition.fetch_offset, partition.partition_max_bytes,
                                  error == KafkaError::none && ahead ? KafkaError::unknown_leader_epoch : error});
    }
  }
  return all;
}

struct Collected {
  FetchResponse response;
  int64_t bytes = 0;
  bool error = false;
};

KafkaError read_error(const Error& error) {
  return error.code == Code::invalid ? KafkaError::offset_out_of_range : log_error(error);
}

void read_partition(Services& services, const std::string& topic, const Wanted::Partition& wanted, int64_t room,
                    bool first, Part& part) {
  part.partition = wanted.partition;
  part.records.emplace();
  part.error_code = wire(wanted.error);
  if (wanted.error != KafkaError::none) return;
  const auto offsets = services.log.offsets(topic, wanted.partition);
  if (!offsets) {
    part.error_code = wire(log_error(offsets.error()));
    return;
  }
  part.high_watermark = offsets->end;
  part.last_stable_offset = offsets->end;
  part.log_start_offset = offsets->start;
  if (wanted.offset == offsets->end || (room <= 0 && !first)) return;
  auto records =
      services.log.read(topic, wanted.partition, wanted.offset, std::clamp<int64_t>(room, 0, wanted.max_bytes));
  if (!records) {
    part.error_code = wire(read_error(records.error()));
  } else if (first || static_cast<int64_t>(records->size()) <= room) {
    part.records->data = std::move(*records);
  }
}

// Reads what is there now: whole batches up to the bounds, but always the first batch that there is.
Collected collect(Services& services, const Wanted& wanted) {
  Collected collected;
  for (const auto& asked : wanted.topics) {
    Topic& topic = collected.response.topics.emplace_back();
    topic.topic = asked.name;
    topic.topic_id = asked.id;
    for (const auto& partition : asked.partitions) {
      Part& part = topic.partitions.emplace_back();
      read_partition(services, asked.name, partition, wanted.max_bytes - collected.bytes, collected.bytes == 0, part);
      collected.bytes += static_cast<int64_t>(part.records->data.size());
      collected.error = collected.error || part.error_code != 0;
    }
  }
  return collected;
}

// The sum of the ends: it moves when one of the partitions grows.
int64_t grown_to(const Services& services, const Wanted& wanted) {
  int64_t sum = 0;
  for (const auto& topic : wanted.topics) {
    for (const auto& partition : topic.partitions) {
      if (const auto offsets = services.log.offsets(topic.name, partition.partition)) sum += offsets->end;
    }
  }
  return sum;
}

Collected collect_enough(Services& services, const Call& call, const Wanted& wanted, int64_t min_bytes,
                         Clock::time_point deadline) {
  uint64_t seen = services.log.growth();
  int64_t size = grown_to(services, wanted);
  for (;;) {
    Collected collected = collect(services, wanted);
    if (collected.error || collected.bytes >= min_bytes || wanted.topics.empty()) return collected;
    for (;;) {
      const auto now = Clock::now();
      if (now >= deadline || services.stopping || call.peer.gone()) return collected;
      if (collected.bytes > 0) std::this_thread::sleep_for(std::min<Clock::duration>(kGather, deadline - now));
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
      seen = services.log.wait_for_growth(seen, std::min<std::chrono::milliseconds>(left, kLookUp));
      const int64_t new_size = grown_to(services, wanted);
      if (std::exchange(size, new_size) != new_size) break;
    }
  }
}

}  // namespace

void handle(Services& services, const Call& call, FetchRequest request, Answer answer) {
  FetchResponse refused;
  if (call.version >= kFirstSessionVersion && request.session_id != 0) {
    // No sessions are kept: every full fetch is answered with session id 0, so that clients go on without.
    refused.error_code = wire(kFetchSessionIdNotFound);
    return answer.send(refused);
  }
  const int64_t asked_bytes = std::clamp<int64_t>(request.max_bytes, 0, services.options.max_fetch_bytes);
  const int64_t granted = services.fetch_budget->take_up_to(asked_bytes);
  const auto deadline = Clock::now() + std::chrono::milliseconds(std::max(request.max_wait_ms, 0));
  const Wanted all = wanted(services, call, request, granted);
  Collected collected = collect_enough(services, call, all, std::min<int64_t>(request.min_bytes, granted), deadline);
  services.fetch_budget->release(granted - std::min(granted, collected.bytes));
  answer.when_gone(
      [budget = services.fetch_budget, held = std::min(granted, collected.bytes)] { budget->release(held); });
  answer.send(collected.response, static_cast<size_t>(collected.bytes) + kAnswerOverhead);
}

}  // namespace pinflow::kafka
