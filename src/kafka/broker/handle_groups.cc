#include <algorithm>
#include <cctype>

#include "base/clock.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"

namespace pinflow::kafka {
namespace {

constexpr size_t kMaxMetadataBytes = 4096;  // as Kafka's offset.metadata.max.bytes
constexpr int16_t kFirstManyGroups = 8;     // of OffsetFetch
constexpr int32_t kGroupOperations = 0b1'0100'1000;

using FetchedTopics = std::vector<OffsetFetchResponse::Group::Topic>;
using WantedTopics = std::optional<std::vector<OffsetFetchRequest::Group::Topic>>;

// The committed offset, unless it is one of an older topic of this name.
const CommittedOffset* current(Services& services, const CommittedGroup& group, const TopicPartition& where) {
  const auto found = group.offsets.find(where);
  if (found == group.offsets.end()) return nullptr;
  const auto topic = services.log.find_topic(where.first);
  return topic && Uuid::from(topic->topic_id) == found->second.topic_id ? &found->second : nullptr;
}

FetchedTopics fetched(Services& services, const std::string& name, WantedTopics wanted) {
  const CommittedGroup group = services.offsets.find(name).value_or(CommittedGroup{});
  const bool all = !wanted;
  if (all) {
    wanted.emplace();
    for (const auto& [where, offset] : group.offsets) {
      if (wanted->empty() || wanted->back().name != where.first) wanted->push_back({where.first, {}});
      wanted->back().partitions.push_back(where.second);
    }
  }
  FetchedTopics topics;
  for (auto& asked : *wanted) {
    OffsetFetchResponse::Group::Topic topic;
    topic.name = std::move(asked.name);
    for (const int32_t partition : asked.partitions) {
      const CommittedOffset* offset = current(services, group, {topic.name, partition});
      if (offset == nullptr && all) continue;
      auto& part = topic.partitions.emplace_back();
      part.partition = partition;
      part.metadata = "";
      if (offset == nullptr) continue;
      part.offset = offset->offset;
      part.leader_epoch = offset->leader_epoch;
      part.metadata = offset->metadata;
    }
    if (!all || !topic.partitions.empty()) topics.push_back(std::move(topic));
  }
  return topics;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool passes(const std::vector<std::string>& filter, std::string_view value) {
  return filter.empty() || std::ranges::any_of(filter, [&](const auto& one) { return same_letters(one, value); });
}

}  // namespace

OffsetCommitResponse handle(Services& services, const Call&, OffsetCommitRequest request) {
  OffsetCommitResponse response;
  std::vector<std::pair<TopicPartition, CommittedOffset>> offsets;
  for (auto& asked : request.topics) {
    const auto known = services.log.find_topic(asked.name);
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (auto& partition : asked.partitions) {
      auto& part = topic.partitions.emplace_back();
      part.partition = partition.partition;
      if (!known || partition.partition < 0 || partition.partition >= known->partitions) {
        part.error_code = wire(KafkaError::unknown_topic_or_partition);
      } else if (partition.metadata && partition.metadata->size() > kMaxMetadataBytes) {
        part.error_code = wire(kOffsetMetadataTooLarge);
      } else {
        offsets.emplace_back(TopicPartition{asked.name, partition.partition},
                             CommittedOffset{Uuid::from(known->topic_id), partition.offset, partition.leader_epoch,
                                             std::move(partition.metadata).value_or(""), now_ms()});
      }
    }
  }
  const KafkaError error = services.groups.commit(
      request.group_id, {request.member_id, request.group_instance_id, request.generation_id}, offsets);
  if (error == KafkaError::none) return response;
  for (auto& topic : response.topics) {
    for (auto& part : topic.partitions) {
      if (part.error_code == 0) part.error_code = wire(error);
    }
  }
  return response;
}

OffsetFetchResponse handle(Services& services, const Call& call, OffsetFetchRequest request) {
  OffsetFetchResponse response;
  if (call.version >= kFirstManyGroups) {
    for (auto& asked : request.groups) {
      auto& group = response.groups.emplace_back();
      group.topics = fetched(services, asked.group_id, std::move(asked.topics));
      group.group_id = std::move(asked.group_id);
    }
    return response;
  }
  WantedTopics wanted;
  if (request.topics) {
    wanted.emplace();
    for (auto& topic : *request.topics) wanted->push_back({std::move(topic.name), std::move(topic.partitions)});
  }
  for (auto& found : fetched(services, request.group_id, std::move(wanted))) {
    auto& topic = response.topics.emplace_back();
    topic.name = std::move(found.name);
    for (auto& part : found.partitions) {
      topic.partitions.push_back(
          {part.partition, part.offset, part.leader_epoch, std::move(part.metadata), part.error_code});
    }
  }
  return response;
}

DescribeGroupsResponse handle(Services& services, const Call&, DescribeGroupsRequest request) {
  DescribeGroupsResponse response;
  for (const auto& name : request.groups) {
    GroupView view = services.groups.describe(name);
    auto& group = response.groups.emplace_back();
    group.group_id = name;
    group.group_state = std::move(view.state);
    group.protocol_type = std::move(view.protocol_type);
    group.protocol_data = std::move(view.protocol);
    if (request.include_authorized_operations) group.authorized_operations = kGroupOperations;
    for (auto& member : view.members) {
      group.members.push_back({std::move(member.id),
                               std::move(member.instance_id),
                               std::move(member.client_id),
                               std::move(member.client_host),
                               {std::move(member.metadata)},
                               {std::move(member.assignment)}});
    }
  }
  return response;
}

ListGroupsResponse handle(Services& services, const Call&, ListGroupsRequest request) {
  constexpr std::string_view kClassic = "classic";
  ListGroupsResponse response;
  if (!passes(request.types_filter, kClassic)) return response;
  for (auto& listed : services.groups.list()) {
    if (!passes(request.states_filter, listed.state)) continue;
    response.groups.push_back(
        {std::move(listed.group), std::move(listed.protocol_type), std::move(listed.state), std::string(kClassic)});
  }
  return response;
}

DeleteGroupsResponse handle(Services& services, const Call&, DeleteGroupsRequest request) {
  DeleteGroupsResponse response;
  for (auto& name : request.groups) {
    const KafkaError removed = services.groups.remove(name);
    response.results.push_back({std::move(name), wire(removed)});
  }
  return response;
}

OffsetDeleteResponse handle(Services& services, const Call&, OffsetDeleteRequest request) {
  OffsetDeleteResponse response;
  std::vector<TopicPartition> partitions;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) partitions.emplace_back(topic.name, partition.partition);
  }
  const auto errors = services.groups.remove_offsets(request.group_id, partitions);
  if (!errors) {
    response.error_code = wire(errors.error());
    return response;
  }
  size_t next = 0;
  for (auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = std::move(asked.name);
    for (const auto& partition : asked.partitions)
      topic.partitions.push_back({partition.partition, wire((*errors)[next++])});
  }
  return response;
}

}  // namespace pinflow::kafka
