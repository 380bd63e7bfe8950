#include "kafka/broker/group_coordinator.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <random>

#include "base/bytes.h"
#include "base/logging.h"
#include "kafka/broker/errors.h"

namespace pinflow::kafka {
namespace {

int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

GroupCoordinator::GroupCoordinator(const BrokerOptions& options, OffsetStore& offsets)
    : options_(options), offsets_(offsets), clock_([this] { run_clock(); }) {}

GroupCoordinator::~GroupCoordinator() {
  stop();
  clock_.join();
}

void GroupCoordinator::stop() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  stopped_ = true;
  for (auto& [name, group] : groups_) group->abandon(KafkaError::not_coordinator);
  groups_.clear();
  wake_.notify_all();
}

void GroupCoordinator::run_clock() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    int64_t next = INT64_MAX;
    const int64_t now = steady_ms();
    for (auto it = groups_.begin(); it != groups_.end();) {
      it->second->tick(now);
      if (it->second->unused()) {
        it = groups_.erase(it);
        continue;
      }
      next = std::min(next, it->second->next_deadline_ms());
      ++it;
    }
    constexpr int64_t kLongest = 60'000;
    wake_.wait_for(lock, std::chrono::milliseconds(std::clamp<int64_t>(next - now, 1, kLongest)));
  }
}

Group* GroupCoordinator::find(const std::string& group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second.get();
}

// What was called on the group may have set a deadline, or left it without members.
void GroupCoordinator::changed(const std::string& group) {
  if (const auto found = groups_.find(group); found != groups_.end() && found->second->unused()) groups_.erase(found);
  wake_.notify_all();
}

std::string GroupCoordinator::new_member_id(std::string_view prefix) {
  static thread_local std::random_device random;
  std::string bytes(16, '\0');
  for (size_t i = 0; i < bytes.size(); i += 4) store_big(bytes.data() + i, static_cast<uint32_t>(random()));
  std::string hex = to_hex(bytes);
  for (const size_t dash : {8, 13, 18, 23}) hex.insert(dash, "-");
  return fmt::format("{}-{}", prefix, hex);
}

void GroupCoordinator::join(const std::string& name, JoinAsk ask, JoinDone done) {
  const auto refuse = [&](KafkaError error) {
    JoinAnswer answer;
    answer.error = error;
    answer.member_id = ask.member_id;
    done(std::move(answer));
  };
  if (name.empty()) return refuse(KafkaError::invalid_group_id);
  if (ask.session_timeout_ms < options_.min_session_timeout.count() ||
      ask.session_timeout_ms > options_.max_session_timeout.count()) {
    return refuse(KafkaError::invalid_session_timeout);
  }
  const std::lock_guard lock(mutex_);
  if (stopped_) return refuse(KafkaError::not_coordinator);
  Group* group = find(name);
  if (group == nullptr) {
    if (!ask.member_id.empty()) return refuse(KafkaError::unknown_member_id);
    if (groups_.size() >= static_cast<size_t>(options_.max_groups)) {
      warn("broker: group {} is refused: there are {} groups already, the limit (max_groups)", name, groups_.size());
      return refuse(KafkaError::coordinator_not_available);
    }
    const Group::Limits limits{static_cast<size_t>(options_.max_group_members),
                               options_.initial_rebalance_delay.count()};
    auto made = std::make_unique<Group>(limits, [this](std::string_view prefix) { return new_member_id(prefix); });
    group = groups_.emplace(name, std::move(made)).first->second.get();
  }
  group->join(std::move(ask), steady_ms(), std::move(done));
  changed(name);
}

void GroupCoordinator::sync(const std::string& name, SyncAsk ask, SyncDone done) {
  if (name.empty()) return done({.error = KafkaError::invalid_group_id});
  const std::lock_guard lock(mutex_);
  if (stopped_) return done({.error = KafkaError::not_coordinator});
  Group* group = find(name);
  if (group == nullptr) return done({.error = KafkaError::unknown_member_id});
  group->sync(std::move(ask), steady_ms(), std::move(done));
  changed(name);
}

KafkaError GroupCoordinator::heartbeat(const std::string& name, const std::string& member,
                                       const std::optional<std::string>& instance, int32_t generation) {
  if (name.empty()) return KafkaError::invalid_group_id;
  const std::lock_guard lock(mutex_);
  if (stopped_) return KafkaError::not_coordinator;
  Group* group = find(name);
  return group == nullptr ? KafkaError::unknown_member_id : group->heartbeat(member, instance, generation, steady_ms());
}

KafkaError GroupCoordinator::leave(const std::string& name, const std::string& member,
                                   const std::optional<std::string>& instance) {
  if (name.empty()) return KafkaError::invalid_group_id;
  const std::lock_guard lock(mutex_);
  if (stopped_) return KafkaError::not_coordinator;
  Group* group = find(name);
  if (group == nullptr) return KafkaError::unknown_member_id;
  const KafkaError left = group->leave(member, instance, steady_ms());
  changed(name);
  return left;
}

KafkaError GroupCoordinator::commit(const std::string& name, const Committer& by,
                                    const std::vector<std::pair<TopicPartition, CommittedOffset>>& offsets) {
  std::string protocol_type;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return KafkaError::not_coordinator;
    if (Group* group = find(name); group != nullptr) {
      const KafkaError allowed = group->check_commit(by.member, by.instance, by.generation, steady_ms());
      if (allowed != KafkaError::none) return allowed;
      protocol_type = group->protocol_type();
    } else if (by.generation >= 0) {
      return by.member.empty() ? KafkaError::illegal_generation : KafkaError::unknown_member_id;
    }
  }
  if (protocol_type.empty()) {
    if (const auto known = offsets_.find(name)) protocol_type = known->protocol_type;
  }
  // Without the lock: it waits for the disk. A member that loses its partitions meanwhile had the right when it asked.
  const auto committed = offsets_.commit(name, protocol_type, offsets);
  if (committed) return KafkaError::none;
  error("broker: offsets of group {} are not committed: {}", name, committed.error().message);
  return KafkaError::coordinator_not_available;  // clients retry
}

GroupView GroupCoordinator::describe(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (Group* group = find(name); group != nullptr) return group->view();
  }
  GroupView view;
  view.state = "Dead";
  if (const auto known = offsets_.find(name)) {
    view.state = "Empty";
    view.protocol_type = known->protocol_type;
  }
  return view;
}

std::vector<GroupCoordinator::Listed> GroupCoordinator::list() {
  std::map<std::string, Listed> all;
  for (auto& [name, protocol_type] : offsets_.groups()) all[name] = {name, protocol_type, "Empty"};
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, group] : groups_) {
      all[name] = {name, group->protocol_type(), std::string(name_of(group->state()))};
    }
  }
  std::vector<Listed> list;
  for (auto& [name, listed] : all) list.push_back(std::move(listed));
  return list;
}

KafkaError GroupCoordinator::remove(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return KafkaError::not_coordinator;
    if (Group* group = find(name); group != nullptr && !group->unused()) return KafkaError::non_empty_group;
    groups_.erase(name);
  }
  if (!offsets_.find(name)) return KafkaError::group_id_not_found;
  const auto gone = offsets_.forget_group(name);
  return gone ? KafkaError::none : KafkaError::coordinator_not_available;
}

std::expected<std::vector<KafkaError>, KafkaError> GroupCoordinator::remove_offsets(
    const std::string& name, const std::vector<TopicPartition>& partitions) {
  std::vector<KafkaError> errors(partitions.size(), KafkaError::none);
  std::vector<TopicPartition> gone;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return std::unexpected(KafkaError::not_coordinator);
    Group* group = find(name);
    if (group == nullptr && !offsets_.find(name)) return std::unexpected(KafkaError::group_id_not_found);
    const bool foreign = group != nullptr && !group->unused() && group->protocol_type() != "consumer";
    if (foreign) return std::unexpected(KafkaError::non_empty_group);
    for (size_t i = 0; i < partitions.size(); ++i) {
      if (group != nullptr && group->subscribes(partitions[i].first)) errors[i] = kGroupSubscribedToTopic;
      else gone.push_back(partitions[i]);
    }
  }
  if (!offsets_.forget_offsets(name, gone)) return std::unexpected(KafkaError::coordinator_not_available);
  return errors;
}

}  // namespace pinflow::kafka
