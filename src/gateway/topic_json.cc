#include "gateway/topic_json.h"

#include <algorithm>

#include "base/json.h"

namespace pinflow::gateway {
namespace {

void write_partition(JsonWriter& json, const kafka::PartitionInfo& p) {
  json.begin_object().key("partition").number(int64_t{p.partition}).key("leader").number(int64_t{p.leader});
  json.key("replicas").begin_array();
  for (const int32_t broker : p.replicas) {
    json.begin_object().key("broker").number(int64_t{broker});
    json.key("leader").boolean(broker == p.leader);
    json.key("in_sync").boolean(std::ranges::find(p.in_sync, broker) != p.in_sync.end()).end_object();
  }
  json.end_array().end_object();
}

void write_partitions(JsonWriter& json, const std::vector<kafka::PartitionInfo>& list) {
  json.begin_array();
  for (const kafka::PartitionInfo& p : list) write_partition(json, p);
  json.end_array();
}

}  // namespace

std::string topic_names_json(const std::vector<std::string>& names) {
  JsonWriter json;
  json.begin_array();
  for (const std::string& name : names) json.string(name);
  json.end_array();
  return json.take();
}

std::string topic_json(const kafka::TopicInfo& topic) {
  JsonWriter json;
  json.begin_object().key("name").string(topic.name).key("configs").begin_object();
  for (const auto& [name, value] : topic.configs) json.key(name).string(value);
  json.end_object().key("partitions");
  write_partitions(json, topic.partitions);
  json.end_object();
  return json.take();
}

std::string partitions_json(const std::vector<kafka::PartitionInfo>& list) {
  JsonWriter json;
  write_partitions(json, list);
  return json.take();
}

std::string partition_json(const kafka::PartitionInfo& partition) {
  JsonWriter json;
  write_partition(json, partition);
  return json.take();
}

}  // namespace pinflow::gateway
