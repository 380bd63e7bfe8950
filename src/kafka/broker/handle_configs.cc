#include <algorithm>

#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"
#include "kafka/broker/topic_config.h"

namespace pinflow::kafka {
namespace {

constexpr int8_t kTopicResource = 2;
constexpr int8_t kBrokerResource = 4;
constexpr int8_t kSourceTopic = 1;
constexpr int8_t kSourceStaticBroker = 4;
constexpr int8_t kSourceDefault = 5;

using Described = DescribeConfigsResponse::Result;

template <class Result>
void refuse(Result& result, KafkaError error, std::string message) {
  result.error_code = wire(error);
  result.error_message = std::move(message);
}

bool is_asked_for(const std::optional<std::vector<std::string>>& keys, std::string_view name) {
  return !keys || keys->empty() || std::ranges::find(*keys, name) != keys->end();
}

void describe_topic(Services& services, const DescribeConfigsRequest::Resource& asked, bool synonyms,
                    Described& result) {
  const auto topic = services.log.find_topic(asked.name);
  if (!topic) return refuse(result, KafkaError::unknown_topic_or_partition, "there is no such topic");
  const ConfigMap own = from_log_config(topic->config);
  const ConfigMap standard = topic_config_values({}, services.options.max_message_bytes);
  for (const auto& spec : topic_config_specs()) {
    if (!is_asked_for(asked.keys, spec.name)) continue;
    auto& config = result.configs.emplace_back();
    config.name = spec.name;
    config.config_type = static_cast<int8_t>(spec.type);
    const auto set = own.find(config.name);
    config.value = set == own.end() ? standard.at(config.name) : set->second;
    config.source = set == own.end() ? kSourceDefault : kSourceTopic;
    if (!synonyms) continue;
    if (set != own.end()) config.synonyms.push_back({config.name, set->second, kSourceTopic});
    config.synonyms.push_back({config.name, standard.at(config.name), kSourceDefault});
  }
}

void describe_broker(Services& services, const DescribeConfigsRequest::Resource& asked, Described& result) {
  if (!asked.name.empty() && asked.name != std::to_string(kNodeId)) {
    return refuse(result, KafkaError::invalid_request, fmt::format("the one broker is {}", kNodeId));
  }
  const BrokerOptions& options = services.options;
  const auto add = [&](std::string_view name, ConfigType type, std::string value) {
    if (!is_asked_for(asked.keys, name)) return;
    auto& config = result.configs.emplace_back();
    config.name = name;
    config.value = std::move(value);
    config.read_only = true;
    config.source = kSourceStaticBroker;
    config.config_type = static_cast<int8_t>(type);
  };
  add("auto.create.topics.enable", ConfigType::boolean, options.auto_create_topics ? "true" : "false");
  add("broker.id", ConfigType::int32, std::to_string(kNodeId));
  add("default.replication.factor", ConfigType::int32, "1");
  add("group.max.session.timeout.ms", ConfigType::int32, std::to_string(options.max_session_timeout.count()));
  add("group.min.session.timeout.ms", ConfigType::int32, std::to_string(options.min_session_timeout.count()));
  add("log.cleanup.policy", ConfigType::list, "delete");
  add("log.retention.ms", ConfigType::int64, "-1");
  add("max.connections", ConfigType::int32, std::to_string(options.max_connections));
  add("message.max.bytes", ConfigType::int32, std::to_string(options.max_message_bytes));
  add("min.insync.replicas", ConfigType::int32, "1");
  add("num.partitions", ConfigType::int32, std::to_string(options.default_partitions));
  add("socket.request.max.bytes", ConfigType::int32, std::to_string(options.max_request_bytes));
}

// Gives the topic the configuration that `change` makes of its own.
template <class Result, class Change>
void alter(Services& services, int8_t type, const std::string& name, bool only_check, Result& result, Change change) {
  if (type != kTopicResource) {
    return refuse(result, KafkaError::invalid_request,
                  "only topics can be configured: a broker's settings are its flags");
  }
  const auto topic = services.log.find_topic(name);
  if (!topic) return refuse(result, KafkaError::unknown_topic_or_partition, "there is no such topic");
  ConfigMap set = from_log_config(topic->config);
  if (const auto changed = change(set); !changed) {
    return refuse(result, KafkaError::invalid_config, changed.error().message);
  }
  auto config = to_log_config(set);
  if (!config) return refuse(result, KafkaError::invalid_config, config.error().message);
  if (only_check) return;
  const auto altered = services.log.alter_topic(name, std::move(*config));
  services.topics.forget(name);
  if (!altered) refuse(result, log_error(altered.error()), altered.error().message);
}

std::vector<std::string> split(std::string_view values) {
  std::vector<std::string> list;
  while (!values.empty()) {
    const size_t comma = values.find(',');
    if (comma != 0) list.emplace_back(values.substr(0, comma));
    values.remove_prefix(comma == std::string_view::npos ? values.size() : comma + 1);
  }
  return list;
}

std::string join(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& one : list) text += (text.empty() ? "" : ",") + one;
  return text;
}

Result<> change_one(ConfigMap& set, const IncrementalAlterConfigsRequest::Resource::Config& change) {
  enum Operation : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };
  const TopicConfigSpec* spec = find_topic_config(change.name);
  if (spec == nullptr) return invalid("Unknown topic config name: {}", change.name);
  if (change.operation == kDelete || (change.operation == kSet && !change.value)) {
    set.erase(change.name);
    return {};
  }
  if (!change.value) return invalid("{} has no value", change.name);
  if (change.operation == kSet) {
    set[change.name] = *change.value;
    return {};
  }
  if (spec->type != ConfigType::list)
    return invalid("{} is no list: it cannot be appended to or subtracted from", change.name);
  const auto own = set.find(change.name);
  std::vector<std::string> list = split(own == set.end() ? spec->standard : std::string_view(own->second));
  for (const auto& one : split(*change.value)) {
    if (change.operation == kSubtract) std::erase(list, one);
    else if (change.operation == kAppend && std::ranges::find(list, one) == list.end()) list.push_back(one);
    else if (change.operation != kAppend) return invalid("{} is no operation on {}", change.operation, change.name);
  }
  set[change.name] = join(list);
  return {};
}

}  // namespace

DescribeConfigsResponse handle(Services& services, const Call&, DescribeConfigsRequest request) {
  DescribeConfigsResponse response;
  for (const auto& asked : request.resources) {
    auto& result = response.results.emplace_back();
    result.type = asked.type;
    result.name = asked.name;
    if (asked.type == kTopicResource) describe_topic(services, asked, request.include_synonyms, result);
    else if (asked.type == kBrokerResource) describe_broker(services, asked, result);
    else refuse(result, KafkaError::invalid_request, "only topics and the broker have configurations");
  }
  return response;
}

AlterConfigsResponse handle(Services& services, const Call&, AlterConfigsRequest request) {
  AlterConfigsResponse response;
  for (const auto& asked : request.resources) {
    auto& result = response.resources.emplace_back();
    result.type = asked.type;
    result.name = asked.name;
    alter(services, asked.type, asked.name, request.validate_only, result, [&](ConfigMap& set) -> Result<> {
      set.clear();
      for (const auto& config : asked.configs) {
        if (config.value) set[config.name] = *config.value;
      }
      return {};
    });
  }
  return response;
}

IncrementalAlterConfigsResponse handle(Services& services, const Call&, IncrementalAlterConfigsRequest request) {
  IncrementalAlterConfigsResponse response;
  for (const auto& asked : request.resources) {
    auto& result = response.resources.emplace_back();
    result.type = asked.type;
    result.name = asked.name;
    alter(services, asked.type, asked.name, request.validate_only, result, [&](ConfigMap& set) -> Result<> {
      for (const auto& config : asked.configs) {
        if (auto changed = change_one(set, config); !changed) return changed;
      }
      return {};
    });
  }
  return response;
}

}  // namespace pinflow::kafka
