#include "kafka/client/describe.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>

#include "base/logging.h"
#include "kafka/client/rd.h"

namespace pinflow::kafka {
namespace {

using ConfigList = std::vector<std::pair<std::string, std::string>>;

ConfigList read_configs(rd_kafka_event_t* event, Configs which) {
  ConfigList out;
  size_t resources = 0;
  auto** answer = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &resources);
  if (resources != 1 || rd_kafka_ConfigResource_error(answer[0])) return out;
  size_t entries = 0;
  auto** entry = rd_kafka_ConfigResource_configs(answer[0], &entries);
  for (size_t i = 0; i < entries; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entry[i]);
    const bool set = rd_kafka_ConfigEntry_source(entry[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
    if (!value || (which == Configs::set && !set)) continue;
    out.emplace_back(rd_kafka_ConfigEntry_name(entry[i]), value);
  }
  std::ranges::sort(out);
  return out;
}

ConfigList ask_configs(rd_kafka_t* handle, const std::string& topic, Configs which, int timeout_ms) {
  rd_kafka_queue_t* queue = rd_kafka_queue_new(handle);
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, nullptr, 0);
  rd_kafka_DescribeConfigs(handle, &resource, 1, options, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, timeout_ms + 1000);
  ConfigList out;
  if (event && rd_kafka_event_error(event)) {
    debug("the configs of topic {}: {}", topic, rd_kafka_event_error_string(event));
  } else if (event) {
    out = read_configs(event, which);
  }
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_ConfigResource_destroy(resource);
  rd_kafka_queue_destroy(queue);
  return out;
}

}  // namespace

std::expected<TopicInfo, TopicFailure> describe_topic(rd_kafka_s* handle, const std::string& name, Configs configs,
                                                      int timeout_ms) {
  int error = 0;
  const Metadata metadata = all_metadata(handle, timeout_ms, error);
  if (!metadata) return std::unexpected(TopicFailure{kafka_error(error), text_of(error)});
  const rd_kafka_metadata_topic_t* begin = metadata->topics;
  const auto* end = begin + metadata->topic_cnt;
  const auto* topic = std::find_if(begin, end, [&](const auto& one) { return name == one.topic; });
  if (topic == end) {
    return std::unexpected(
        TopicFailure{KafkaError::unknown_topic_or_partition, text_of(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)});
  }
  if (topic->err && topic->partition_cnt == 0) {
    return std::unexpected(TopicFailure{kafka_error(topic->err), text_of(topic->err)});
  }
  TopicInfo info;
  info.name = name;
  for (int i = 0; i < topic->partition_cnt; ++i) {
    const auto& from = topic->partitions[i];
    PartitionInfo& to = info.partitions.emplace_back();
    to.partition = from.id;
    to.leader = from.leader;
    to.replicas.assign(from.replicas, from.replicas + from.replica_cnt);
    to.in_sync.assign(from.isrs, from.isrs + from.isr_cnt);
  }
  std::ranges::sort(info.partitions, {}, &PartitionInfo::partition);
  if (configs != Configs::none) info.configs = ask_configs(handle, name, configs, timeout_ms);
  return info;
}

}  // namespace pinflow::kafka
