#include <climits>

#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"

namespace pinflow::kafka {
namespace {

constexpr int64_t kLatest = -1;
constexpr int64_t kEarliest = -2;
constexpr int64_t kOfMaxTimestamp = -3;
constexpr int64_t kEarliestLocal = -4;

// The record with the greatest timestamp, by halving: the log finds the first record at or after a time.
Result<log::TimedOffset> of_max_timestamp(log::Log& log, const std::string& topic, int32_t partition) {
  auto best = log.offset_for_time(topic, partition, INT64_MIN);
  if (!best || best->offset < 0) return best;
  int64_t high = INT64_MAX;  // no record is at or after it, as far as we know
  while (best->timestamp_ms < high - 1) {
    // Steps that double find the neighbourhood fast: timestamps lie close together, INT64_MAX is far away.
    int64_t step = 1;
    bool found_any = false;
    for (;;) {
      if (best->timestamp_ms > high - 1 - step) break;
      const auto later = log.offset_for_time(topic, partition, best->timestamp_ms + step);
      if (!later) return later;
      if (later->offset < 0) {
        high = best->timestamp_ms + step;
        break;
      }
      best = later;
      found_any = true;
      if (step < (int64_t{1} << 60)) step *= 2;
    }
    if (!found_any && step == 1) break;
  }
  return best;
}

struct Found {
  KafkaError error = KafkaError::none;
  log::TimedOffset at;
};

Found find(Services& services, const std::string& topic, int32_t partition, int64_t timestamp) {
  const auto offsets = services.log.offsets(topic, partition);
  if (!offsets) return {log_error(offsets.error()), {}};
  switch (timestamp) {
    case kLatest: return {KafkaError::none, {offsets->end, -1}};
    case kEarliest:
    case kEarliestLocal: return {KafkaError::none, {offsets->start, -1}};
    default: break;
  }
  if (timestamp < kOfMaxTimestamp) return {KafkaError::invalid_request, {}};
  const auto found = timestamp == kOfMaxTimestamp ? of_max_timestamp(services.log, topic, partition)
                                                  : services.log.offset_for_time(topic, partition, timestamp);
  if (!found) return {log_error(found.error()), {}};
  return {KafkaError::none, *found};
}

bool ahead(int32_t current_leader_epoch) { return current_leader_epoch > kLeaderEpoch; }

}  // namespace

ListOffsetsResponse handle(Services& services, const Call&, ListOffsetsRequest request) {
  ListOffsetsResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (const auto& partition : asked.partitions) {
      const Found found = ahead(partition.current_leader_epoch)
                              ? Found{KafkaError::unknown_leader_epoch, {}}
                              : find(services, asked.name, partition.partition, partition.timestamp);
      auto& part = topic.partitions.emplace_back();
      part.partition = partition.partition;
      part.error_code = wire(found.error);
      part.timestamp = found.at.timestamp_ms;
      part.offset = found.at.offset;
      part.leader_epoch = found.at.offset < 0 ? -1 : kLeaderEpoch;
    }
  }
  return response;
}

OffsetForLeaderEpochResponse handle(Services& services, const Call&, OffsetForLeaderEpochRequest request) {
  OffsetForLeaderEpochResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic = asked.topic;
    for (const auto& partition : asked.partitions) {
      auto& part = topic.partitions.emplace_back();
      part.partition = partition.partition;
      const auto offsets = services.log.offsets(asked.topic, partition.partition);
      if (!offsets) part.error_code = wire(log_error(offsets.error()));
      else if (ahead(partition.current_leader_epoch)) part.error_code = wire(KafkaError::unknown_leader_epoch);
      else if (partition.leader_epoch == kLeaderEpoch) part.leader_epoch = kLeaderEpoch, part.end_offset = offsets->end;
    }
  }
  return response;
}

DeleteRecordsResponse handle(Services& services, const Call&, DeleteRecordsRequest request) {
  constexpr int64_t kAll = -1;
  DeleteRecordsResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (const auto& partition : asked.partitions) {
      auto& part = topic.partitions.emplace_back();
      part.partition = partition.partition;
      auto offsets = services.log.offsets(asked.name, partition.partition);
      if (offsets) {
        const int64_t before = partition.offset == kAll ? offsets->end : partition.offset;
        if (before < 0 || before > offsets->end) {
          part.error_code = wire(KafkaError::offset_out_of_range);
          continue;
        }
        const auto deleted = services.log.delete_records(asked.name, partition.partition, before);
        offsets = deleted ? services.log.offsets(asked.name, partition.partition) : pass(deleted.error());
      }
      if (offsets) part.low_watermark = offsets->start;
      else part.error_code = wire(log_error(offsets.error()));
    }
  }
  return response;
}

}  // namespace pinflow::kafka
