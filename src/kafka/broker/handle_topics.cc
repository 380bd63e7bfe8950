#include <algorithm>
#include <set>

#include "base/logging.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"
#include "kafka/broker/topic_config.h"

namespace pinflow::kafka {
namespace {

constexpr int32_t kDefaultPartitions = -1;
constexpr int16_t kDefaultReplication = -1;
constexpr int8_t kSourceTopic = 1;
constexpr int8_t kSourceDefault = 5;

template <class Result>
void refuse(Result& result, KafkaError error, std::string message) {
  result.error_code = wire(error);
  result.error_message = std::move(message);
}

bool only_here(const std::vector<int32_t>& brokers) { return brokers.size() == 1 && brokers.front() == kNodeId; }

// Where the client says itself which broker has which partition: their number, or nothing where it cannot be so.
std::optional<int32_t> assigned(const std::vector<CreateTopicsRequest::Topic::Assignment>& assignments) {
  std::set<int32_t> partitions;
  for (const auto& assignment : assignments) {
    if (!only_here(assignment.brokers)) return std::nullopt;
    partitions.insert(assignment.partition);
  }
  const auto count = static_cast<int32_t>(assignments.size());
  if (static_cast<int32_t>(partitions.size()) != count || *partitions.begin() != 0 ||
      *partitions.rbegin() != count - 1) {
    return std::nullopt;
  }
  return count;
}

struct Planned {
  int32_t partitions = 0;
  log::TopicConfig config;
};

std::expected<Planned, TopicFailure> plan(const BrokerOptions& options, const CreateTopicsRequest::Topic& asked) {
  const auto refused = [](KafkaError error, std::string message) {
    return std::unexpected(TopicFailure{error, std::move(message)});
  };
  Planned planned;
  planned.partitions = asked.partitions == kDefaultPartitions ? options.default_partitions : asked.partitions;
  if (!asked.assignments.empty()) {
    if (asked.partitions != kDefaultPartitions || asked.replication_factor != kDefaultReplication) {
      return refused(KafkaError::invalid_request, "with an assignment, partitions and replication factor must be -1");
    }
    const auto count = assigned(asked.assignments);
    if (!count) {
      return refused(kInvalidReplicaAssignment,
                     fmt::format("each partition, numbered from 0, must have one replica, on broker {}", kNodeId));
    }
    planned.partitions = *count;
  } else if (asked.replication_factor != kDefaultReplication && asked.replication_factor != 1) {
    return refused(
        KafkaError::invalid_replication_factor,
        fmt::format("replication factor {}: there is one broker, so it must be 1", asked.replication_factor));
  }
  if (planned.partitions < 1 || planned.partitions > options.max_partitions) {
    return refused(KafkaError::invalid_partitions,
                   fmt::format("{} partitions: a topic has 1 to {}", planned.partitions, options.max_partitions));
  }
  ConfigMap set;
  for (const auto& config : asked.configs) {
    if (config.value) set[config.name] = *config.value;
  }
  auto config = to_log_config(set);
  if (!config) return refused(KafkaError::invalid_config, config.error().message);
  planned.config = std::move(*config);
  return planned;
}

void report(const BrokerOptions& options, const Planned& planned, CreateTopicsResponse::Topic& result) {
  result.partitions = planned.partitions;
  result.replication_factor = 1;
  const ConfigMap set = from_log_config(planned.config);
  auto& configs = result.configs.emplace();
  for (auto& [name, value] : topic_config_values(planned.config, options.max_message_bytes)) {
    configs.push_back(
        {.name = name, .value = value, .config_source = set.contains(name) ? kSourceTopic : kSourceDefault});
  }
}

void create(Services& services, const CreateTopicsRequest::Topic& asked, bool only_check,
            CreateTopicsResponse::Topic& result) {
  const auto planned = plan(services.options, asked);
  if (!planned) return refuse(result, planned.error().error, planned.error().message);
  if (services.log.find_topic(asked.name)) {
    return refuse(result, KafkaError::topic_already_exists, fmt::format("Topic '{}' already exists.", asked.name));
  }
  if (only_check) {
    if (!is_topic_name(asked.name)) return refuse(result, KafkaError::invalid_topic, "the name is not one of a topic");
    return report(services.options, *planned, result);
  }
  const auto made = services.log.create_topic(asked.name, planned->partitions, planned->config);
  if (!made) {
    const bool bad_name = made.error().code == Code::invalid;
    return refuse(result, bad_name ? KafkaError::invalid_topic : log_error(made.error()), made.error().message);
  }
  services.topics.forget(asked.name);
  result.topic_id = Uuid::from(made->topic_id);
  report(services.options, *planned, result);
}

void remove(Services& services, DeleteTopicsResponse::Topic& result) {
  const auto deleted = services.log.delete_topic(*result.name);
  services.topics.forget(*result.name);
  if (!deleted) return refuse(result, log_error(deleted.error()), deleted.error().message);
  if (const auto forgotten = services.offsets.forget_topic(*result.name); !forgotten) {
    // They no longer count: the topic's id is another, should it be made anew.
    warn("broker: offsets of the deleted topic {} stay on disk: {}", *result.name, forgotten.error().message);
  }
}

void grow(Services& services, const CreatePartitionsRequest::Topic& asked, bool only_check,
          CreatePartitionsResponse::Topic& result) {
  const auto description = services.log.find_topic(asked.name);
  if (!description) return refuse(result, KafkaError::unknown_topic_or_partition, "there is no such topic");
  if (asked.count <= description->partitions || asked.count > services.options.max_partitions) {
    return refuse(result, KafkaError::invalid_partitions,
                  fmt::format("the topic has {} partitions; it can get more, up to {}", description->partitions,
                              services.options.max_partitions));
  }
  if (asked.assignments) {
    const bool count_fits = static_cast<int32_t>(asked.assignments->size()) == asked.count - description->partitions;
    const bool here = std::ranges::all_of(*asked.assignments, [](const auto& one) { return only_here(one.brokers); });
    if (!count_fits || !here) {
      return refuse(result, kInvalidReplicaAssignment,
                    fmt::format("each new partition must have one replica, on broker {}", kNodeId));
    }
  }
  if (only_check) return;
  const auto grown = services.log.add_partitions(asked.name, asked.count);
  services.topics.forget(asked.name);
  if (!grown) refuse(result, log_error(grown.error()), grown.error().message);
}

// Names that the request has more than once.
template <class Topics>
std::set<std::string> repeated(const Topics& topics) {
  std::set<std::string> once;
  std::set<std::string> more;
  for (const auto& topic : topics) {
    if (!once.insert(topic.name).second) more.insert(topic.name);
  }
  return more;
}

}  // namespace

CreateTopicsResponse handle(Services& services, const Call&, CreateTopicsRequest request) {
  CreateTopicsResponse response;
  const auto twice = repeated(request.topics);
  for (const auto& asked : request.topics) {
    auto& result = response.topics.emplace_back();
    result.name = asked.name;
    if (twice.contains(asked.name)) refuse(result, KafkaError::invalid_request, "the request names the topic twice");
    else create(services, asked, request.validate_only, result);
  }
  return response;
}

DeleteTopicsResponse handle(Services& services, const Call&, DeleteTopicsRequest request) {
  DeleteTopicsResponse response;
  for (auto& name : request.topic_names) request.topics.push_back({std::move(name), {}});
  for (auto& asked : request.topics) {
    auto& result = response.topics.emplace_back();
    result.topic_id = asked.topic_id;
    if (!asked.name) {
      std::string name = services.topics.name_of(asked.topic_id);
      if (name.empty()) {
        refuse(result, KafkaError::unknown_topic_id, "there is no topic of this id");
        continue;
      }
      asked.name = std::move(name);
    } else if (const auto found = services.log.find_topic(*asked.name)) {
      result.topic_id = Uuid::from(found->topic_id);
    }
    result.name = asked.name;
    remove(services, result);
  }
  return response;
}

CreatePartitionsResponse handle(Services& services, const Call&, CreatePartitionsRequest request) {
  CreatePartitionsResponse response;
  const auto twice = repeated(request.topics);
  for (const auto& asked : request.topics) {
    auto& result = response.topics.emplace_back();
    result.name = asked.name;
    if (twice.contains(asked.name)) refuse(result, KafkaError::invalid_request, "the request names the topic twice");
    else grow(services, asked, request.validate_only, result);
  }
  return response;
}

}  // namespace pinflow::kafka
