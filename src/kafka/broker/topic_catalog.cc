#include "kafka/broker/topic_catalog.h"

#include <algorithm>
#include <mutex>

#include "base/logging.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/topic_config.h"

namespace pinflow::kafka {
namespace {

std::unexpected<TopicFailure> unknown(const std::string& name) {
  return std::unexpected(
      TopicFailure{KafkaError::unknown_topic_or_partition, fmt::format("there is no topic {}", name)});
}

}  // namespace

std::expected<TopicCatalog::Topic, TopicFailure> TopicCatalog::find(const std::string& name) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = topics_.find(name);
    if (found != topics_.end() && found->second.until > std::chrono::steady_clock::now()) return found->second.topic;
  }
  const auto description = log_.find_topic(name);
  if (!description) return forget(name), unknown(name);
  return remember(*description);
}

std::expected<TopicCatalog::Topic, TopicFailure> TopicCatalog::find_or_create(const std::string& name) {
  auto found = find(name);
  if (found || !rules_.auto_create) return found;
  const auto made = log_.create_topic(name, rules_.default_partitions, {});
  if (made) {
    info("broker: topic {} made on first use, with {} partitions", name, made->partitions);
    return remember(*made);
  }
  if (made.error().code == Code::already_exists) return find(name);
  const bool bad_name = made.error().code == Code::invalid;
  return std::unexpected(
      TopicFailure{bad_name ? KafkaError::invalid_topic : log_error(made.error()), made.error().message});
}

void TopicCatalog::forget(const std::string& name) {
  const std::unique_lock lock(mutex_);
  topics_.erase(name);
}

std::string TopicCatalog::name_of(const Uuid& id) {
  std::string name;
  {
    const std::shared_lock lock(mutex_);
    if (const auto known = names_.find(id); known != names_.end()) name = known->second;
  }
  if (name.empty()) {
    const auto all = log_.topics();
    const auto found = std::ranges::find(all, id.view(), &log::TopicDescription::topic_id);
    if (found == all.end()) return {};
    remember(*found);
    return found->name;
  }
  const auto topic = find(name);
  return topic && topic->id == id ? name : std::string();
}

TopicCatalog::Topic TopicCatalog::remember(const log::TopicDescription& description) {
  const Topic topic{Uuid::from(description.topic_id), description.partitions,
                    max_message_bytes_of(description.config, rules_.max_message_bytes)};
  const std::unique_lock lock(mutex_);
  if (topics_.size() >= kMaxRemembered) topics_.clear();
  if (names_.size() >= kMaxRemembered) names_.clear();
  names_[topic.id] = description.name;
  topics_[description.name] = {topic, std::chrono::steady_clock::now() + kFresh};
  return topic;
}

}  // namespace pinflow::kafka
