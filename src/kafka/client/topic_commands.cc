#include <fmt/ranges.h>

#include <ostream>

#include "base/json.h"
#include "base/logging.h"
#include "kafka/client/commands.h"
#include "kafka/client/identity.h"

namespace pinflow::kafka {
namespace {

struct Described {
  TopicInfo info;
  std::string topic_id;  // text; empty: not known

  size_t replication_factor() const { return info.partitions.empty() ? 0 : info.partitions.front().replicas.size(); }
};

void print(const Described& topic, std::ostream& out) {
  std::vector<std::string> configs;
  for (const auto& [name, value] : topic.info.configs) configs.push_back(name + "=" + value);
  out << fmt::format("Topic: {}\t{}PartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", topic.info.name,
                     topic.topic_id.empty() ? "" : fmt::format("TopicId: {}\t", topic.topic_id),
                     topic.info.partitions.size(), topic.replication_factor(), fmt::join(configs, ","));
  for (const PartitionInfo& one : topic.info.partitions) {
    out << fmt::format("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\n", topic.info.name,
                       one.partition, one.leader < 0 ? "none" : fmt::to_string(one.leader),
                       fmt::join(one.replicas, ","), fmt::join(one.in_sync, ","));
  }
}

void write(const Described& topic, JsonWriter& json) {
  auto numbers = [&](std::string_view key, const std::vector<int32_t>& list) {
    json.key(key).begin_array();
    for (const int32_t one : list) json.number(static_cast<int64_t>(one));
    json.end_array();
  };
  json.begin_object().key("topic").string(topic.info.name).key("topic_id");
  if (topic.topic_id.empty()) json.null();
  else json.string(topic.topic_id);
  json.key("replication_factor").number(static_cast<int64_t>(topic.replication_factor()));
  json.key("configs").begin_object();
  for (const auto& [name, value] : topic.info.configs) json.key(name).string(value);
  json.end_object().key("partitions").begin_array();
  for (const PartitionInfo& one : topic.info.partitions) {
    json.begin_object().key("partition").number(static_cast<int64_t>(one.partition));
    json.key("leader").number(static_cast<int64_t>(one.leader));
    numbers("replicas", one.replicas);
    numbers("isr", one.in_sync);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

Result<std::pair<std::string, std::string>> topic_config(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return invalid("a topic's config is KEY=VALUE, not '{}'", text);
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Result<> create_topic_command(const ClientConfig& config, const NewTopic& topic, std::ostream& out) {
  auto admin = Admin::open(config);
  if (!admin) return pass(admin.error());
  if (auto created = (*admin)->create_topic(topic); !created) return created;
  out << fmt::format("Created topic {}.\n", topic.name);
  return {};
}

Result<> delete_topic_command(const ClientConfig& config, const std::string& name, std::ostream& out) {
  auto admin = Admin::open(config);
  if (!admin) return pass(admin.error());
  if (auto deleted = (*admin)->delete_topic(name); !deleted) return deleted;
  out << fmt::format("Deleted topic {}.\n", name);
  return {};
}

Result<> list_topics_command(const ClientConfig& config, Output output, std::ostream& out) {
  auto admin = Admin::open(config);
  if (!admin) return pass(admin.error());
  auto names = (*admin)->list_topics(true);
  if (!names) return pass(names.error(), "{}", config.bootstrap_servers);
  JsonWriter json;
  json.begin_array();
  for (const std::string& name : *names) {
    json.string(name);
    if (output == Output::text) out << name << '\n';
  }
  json.end_array();
  if (output == Output::json) out << json.text() << '\n';
  return {};
}

Result<> describe_topics_command(const ClientConfig& config, std::vector<std::string> topics, Output output,
                                 std::ostream& out) {
  auto admin = Admin::open(config);
  if (!admin) return pass(admin.error());
  if (topics.empty()) {
    auto names = (*admin)->list_topics(true);
    if (!names) return pass(names.error(), "{}", config.bootstrap_servers);
    topics = std::move(*names);
  }
  std::vector<Described> described;
  for (const std::string& name : topics) {
    auto info = (*admin)->describe_topic(name);
    if (!info) return pass(info.error());
    described.push_back({std::move(*info), {}});
  }
  if (auto identities = read_identities(config, topics)) {
    for (Described& topic : described) topic.topic_id = topic_id_text((*identities)[topic.info.name].topic_id);
  } else {
    debug("topic ids: {}", identities.error().message);
  }
  JsonWriter json;
  json.begin_array();
  for (const Described& topic : described) {
    if (output == Output::text) print(topic, out);
    else write(topic, json);
  }
  json.end_array();
  if (output == Output::json) out << json.text() << '\n';
  return {};
}

}  // namespace pinflow::kafka
