#include "kafka/broker/group.h"

#include <algorithm>
#include <climits>

#include "kafka/broker/errors.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {
namespace {

JoinAnswer refused(KafkaError error, std::string member_id = {}) {
  JoinAnswer answer;
  answer.error = error;
  answer.member_id = std::move(member_id);
  return answer;
}

void tell(JoinDone& joining, JoinAnswer answer) {
  if (auto done = std::exchange(joining, nullptr)) done(std::move(answer));
}

void tell(SyncDone& syncing, SyncAnswer answer) {
  if (auto done = std::exchange(syncing, nullptr)) done(std::move(answer));
}

}  // namespace

std::string_view name_of(Group::State state) {
  switch (state) {
    case Group::State::empty: return "Empty";
    case Group::State::preparing: return "PreparingRebalance";
    case Group::State::completing: return "CompletingRebalance";
    case Group::State::stable: return "Stable";
  }
  return "Dead";
}

std::pair<Group::Member*, KafkaError> Group::find(const std::string& id, const std::optional<std::string>& instance) {
  if (instance) {
    const auto known = instances_.find(*instance);
    if (known == instances_.end()) return {nullptr, KafkaError::unknown_member_id};
    if (known->second != id) return {nullptr, KafkaError::fenced_instance_id};
  }
  const auto member = members_.find(id);
  if (member == members_.end()) return {nullptr, KafkaError::unknown_member_id};
  return {&member->second, KafkaError::none};
}

bool Group::shares_a_protocol(const JoinAsk& ask, const Member* except) const {
  const bool alone = members_.empty() || (members_.size() == 1 && except != nullptr);
  if (ask.protocols.empty() || ask.protocol_type.empty()) return false;
  if (alone) return true;
  if (ask.protocol_type != protocol_type_) return false;
  return std::ranges::any_of(ask.protocols, [&](const GroupProtocol& protocol) {
    return std::ranges::all_of(members_, [&](const auto& entry) {
      return &entry.second == except || std::ranges::find(entry.second.protocols, protocol.name,
                                                          &GroupProtocol::name) != entry.second.protocols.end();
    });
  });
}

void Group::join(JoinAsk ask, int64_t now_ms, JoinDone done) {
  if (ask.member_id.empty()) {
    if (ask.instance_id) {
      if (const auto known = instances_.find(*ask.instance_id); known != instances_.end()) {
        Member& old = members_.at(known->second);
        if (!shares_a_protocol(ask, &old)) return done(refused(KafkaError::inconsistent_group_protocol));
        return replace_static(std::string(old.id), std::move(ask), now_ms, std::move(done));
      }
    }
    if (!shares_a_protocol(ask, nullptr)) return done(refused(KafkaError::inconsistent_group_protocol));
    if (members_.size() + promised_.size() >= limits_.max_members) return done(refused(kGroupMaxSizeReached));
    std::string id = new_id_(ask.instance_id ? *ask.instance_id : ask.client_id);
    if (ask.id_required && !ask.instance_id) {
      promised_[id] = now_ms + ask.session_timeout_ms;
      return done(refused(KafkaError::member_id_required, id));
    }
    return add(std::move(id), std::move(ask), now_ms, std::move(done));
  }
  if (const auto promised = promised_.find(ask.member_id); promised != promised_.end() && !ask.instance_id) {
    if (!shares_a_protocol(ask, nullptr)) return done(refused(KafkaError::inconsistent_group_protocol, ask.member_id));
    promised_.erase(promised);
    std::string id = ask.member_id;
    return add(std::move(id), std::move(ask), now_ms, std::move(done));
  }
  const auto [member, error] = find(ask.member_id, ask.instance_id);
  if (member == nullptr) return done(refused(error, ask.member_id));
  if (!shares_a_protocol(ask, member)) return done(refused(KafkaError::inconsistent_group_protocol, ask.member_id));
  rejoin(*member, std::move(ask), now_ms, std::move(done));
}

void Group::add(std::string id, JoinAsk ask, int64_t now_ms, JoinDone done) {
  if (members_.empty()) protocol_type_ = ask.protocol_type;
  Member& member = members_[id];
  member.id = std::move(id);
  member.instance_id = std::move(ask.instance_id);
  member.client_id = std::move(ask.client_id);
  member.client_host = std::move(ask.client_host);
  member.session_timeout_ms = ask.session_timeout_ms;
  member.rebalance_timeout_ms = ask.rebalance_timeout_ms;
  member.protocols = std::move(ask.protocols);
  member.joining = std::move(done);
  member.order = ++joins_;
  if (member.instance_id) instances_[*member.instance_id] = member.id;
  heard_of(member, now_ms);
  if (state_ == State::preparing) {
    if (gather_until_ms_ > now_ms) gather_until_ms_ = std::min(now_ms + limits_.initial_delay_ms, rebalance_ends_ms_);
    rebalance_ends_ms_ = std::max(rebalance_ends_ms_, gather_until_ms_);
    complete_join_if_due(now_ms);
  } else {
    rebalance(now_ms);
  }
}

void Group::rejoin(Member& member, JoinAsk ask, int64_t now_ms, JoinDone done) {
  const bool same = member.protocols == ask.protocols;
  member.session_timeout_ms = ask.session_timeout_ms;
  member.rebalance_timeout_ms = ask.rebalance_timeout_ms;
  if (members_.size() == 1) protocol_type_ = ask.protocol_type;
  heard_of(member, now_ms);
  // A join that is repeated (its answer was lost) takes the place of the one before.
  tell(member.joining, refused(KafkaError::rebalance_in_progress, member.id));
  const bool current =
      (state_ == State::completing && same) || (state_ == State::stable && same && member.id != leader_);
  if (current) return done(joined(member));
  member.protocols = std::move(ask.protocols);
  member.joining = std::move(done);
  if (state_ == State::preparing) complete_join_if_due(now_ms);
  else rebalance(now_ms);
}

void Group::replace_static(const std::string& old_id, JoinAsk ask, int64_t now_ms, JoinDone done) {
  const std::string id = new_id_(*ask.instance_id);
  auto node = members_.extract(old_id);
  node.key() = id;
  Member& member = members_.insert(std::move(node)).position->second;
  tell(member.joining, refused(KafkaError::fenced_instance_id, old_id));
  tell(member.syncing, {.error = KafkaError::fenced_instance_id});
  const bool led = leader_ == old_id;
  if (led) leader_ = id;
  instances_[*ask.instance_id] = id;

  const std::string before = metadata_of(member, protocol_);
  member.id = id;
  member.client_id = std::move(ask.client_id);
  member.client_host = std::move(ask.client_host);
  member.session_timeout_ms = ask.session_timeout_ms;
  member.rebalance_timeout_ms = ask.rebalance_timeout_ms;
  member.protocols = std::move(ask.protocols);
  heard_of(member, now_ms);
  if (state_ == State::stable && vote() == protocol_ && metadata_of(member, protocol_) == before) {
    // A restart of a known member: it gets its old assignment back, and nobody else is disturbed.
    JoinAnswer answer = joined(member);
    answer.skip_assignment = led && ask.may_skip_assignment;
    if (led && !ask.may_skip_assignment) {
      answer.leader = old_id;  // one that cannot be told to skip must not think that it is to assign
      answer.members.clear();
    }
    return done(std::move(answer));
  }
  member.joining = std::move(done);
  if (state_ == State::preparing) complete_join_if_due(now_ms);
  else rebalance(now_ms);
}

void Group::remove(const std::string& id, int64_t now_ms) {
  auto node = members_.extract(id);
  if (node.empty()) return;
  Member& member = node.mapped();
  if (member.instance_id) instances_.erase(*member.instance_id);
  tell(member.joining, refused(KafkaError::unknown_member_id, id));
  tell(member.syncing, {.error = KafkaError::unknown_member_id});
  if (state_ == State::preparing) complete_join_if_due(now_ms);
  else rebalance(now_ms);
}

void Group::rebalance(int64_t now_ms) {
  for (auto& [id, member] : members_) {
    if (!member.syncing) continue;
    heard_of(member, now_ms);
    tell(member.syncing, {.error = KafkaError::rebalance_in_progress});
  }
  const bool first = state_ == State::empty;
  state_ = State::preparing;
  rebalance_ends_ms_ = now_ms + longest_rebalance_ms();
  gather_until_ms_ = first ? std::min(now_ms + limits_.initial_delay_ms, rebalance_ends_ms_) : now_ms;
  complete_join_if_due(now_ms);
}

void Group::complete_join_if_due(int64_t now_ms) {
  if (members_.empty()) {
    state_ = State::empty;
    ++generation_;
    protocol_.clear();
    leader_.clear();
    return;
  }
  if (now_ms < gather_until_ms_) return;
  const auto has_joined = [](const auto& entry) { return entry.second.joining != nullptr; };
  const bool all = promised_.empty() && std::ranges::all_of(members_, has_joined);
  if (!all && now_ms < rebalance_ends_ms_) return;
  promised_.clear();
  for (auto it = members_.begin(); it != members_.end();) {
    // A static member may come back until its session ends.
    it = it->second.joining || it->second.instance_id ? std::next(it) : members_.erase(it);
  }
  if (members_.empty()) return complete_join_if_due(now_ms);
  if (std::ranges::none_of(members_, has_joined)) {
    rebalance_ends_ms_ = now_ms + longest_rebalance_ms();
    return;
  }
  complete_join(now_ms);
}

void Group::complete_join(int64_t now_ms) {
  ++generation_;
  state_ = State::completing;
  protocol_ = vote();
  choose_leader();
  sync_ends_ms_ = now_ms + longest_rebalance_ms();
  for (auto& [id, member] : members_) {
    member.assignment.clear();
    if (!member.joining) continue;
    heard_of(member, now_ms);
    tell(member.joining, joined(member));
  }
}

void Group::choose_leader() {
  if (const auto led = members_.find(leader_); led != members_.end() && led->second.joining) return;
  const Member* eldest = nullptr;
  for (const auto& [id, member] : members_) {
    if (member.joining && (eldest == nullptr || member.order < eldest->order)) eldest = &member;
  }
  leader_ = eldest->id;  // the caller has seen that one joined
}

// Each member votes for the first in its list that all have; most votes win.
std::string Group::vote() const {
  const auto all_have = [this](const GroupProtocol& wanted) {
    return std::ranges::all_of(members_, [&](const auto& entry) {
      const auto& protocols = entry.second.protocols;
      return std::ranges::find(protocols, wanted.name, &GroupProtocol::name) != protocols.end();
    });
  };
  std::map<std::string, int> votes;
  for (const auto& [id, member] : members_) {
    const auto choice = std::ranges::find_if(member.protocols, all_have);
    if (choice != member.protocols.end()) ++votes[choice->name];
  }
  if (votes.empty()) return {};
  return std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
}

std::string Group::metadata_of(const Member& member, std::string_view protocol) {
  const auto found = std::ranges::find(member.protocols, protocol, &GroupProtocol::name);
  return found == member.protocols.end() ? std::string() : found->metadata;
}

JoinAnswer Group::joined(const Member& member) const {
  JoinAnswer answer;
  answer.generation = generation_;
  answer.protocol_type = protocol_type_;
  answer.protocol = protocol_;
  answer.leader = leader_;
  answer.member_id = member.id;
  if (member.id == leader_) {
    for (const auto& [id, other] : members_) {
      answer.members.push_back({id, other.instance_id, metadata_of(other, protocol_)});
    }
  }
  return answer;
}

SyncAnswer Group::synced(const Member& member) const {
  return {KafkaError::none, protocol_type_, protocol_, member.assignment};
}

int64_t Group::longest_rebalance_ms() const {
  int64_t longest = 0;
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

void Group::sync(SyncAsk ask, int64_t now_ms, SyncDone done) {
  const auto refuse = [&](KafkaError error) { done({.error = error}); };
  const auto [member, error] = find(ask.member_id, ask.instance_id);
  if (member == nullptr) return refuse(error);
  if (ask.generation != generation_) return refuse(KafkaError::illegal_generation);
  if ((ask.protocol_type && *ask.protocol_type != protocol_type_) || (ask.protocol && *ask.protocol != protocol_)) {
    return refuse(KafkaError::inconsistent_group_protocol);
  }
  heard_of(*member, now_ms);
  switch (state_) {
    case State::empty: return refuse(KafkaError::unknown_member_id);
    case State::preparing: return refuse(KafkaError::rebalance_in_progress);
    case State::stable: return done(synced(*member));
    case State::completing: break;
  }
  tell(member->syncing, {.error = KafkaError::rebalance_in_progress});
  member->syncing = std::move(done);
  if (member->id != leader_) return;
  state_ = State::stable;
  for (auto& [id, other] : members_) {
    if (const auto given = ask.assignments.find(id); given != ask.assignments.end()) other.assignment = given->second;
    if (!other.syncing) continue;
    heard_of(other, now_ms);
    tell(other.syncing, synced(other));
  }
}

KafkaError Group::heartbeat(const std::string& id, const std::optional<std::string>& instance, int32_t generation,
                            int64_t now_ms) {
  const auto [member, error] = find(id, instance);
  if (member == nullptr) return error;
  if (generation != generation_) return KafkaError::illegal_generation;
  heard_of(*member, now_ms);
  return state_ == State::preparing ? KafkaError::rebalance_in_progress : KafkaError::none;
}

KafkaError Group::leave(const std::string& id, const std::optional<std::string>& instance, int64_t now_ms) {
  std::string leaver = id;
  if (instance) {
    const auto known = instances_.find(*instance);
    if (known == instances_.end()) return KafkaError::unknown_member_id;
    if (!id.empty() && id != known->second) return KafkaError::fenced_instance_id;
    leaver = known->second;
  }
  if (promised_.erase(leaver) > 0) {
    if (state_ == State::preparing) complete_join_if_due(now_ms);
    return KafkaError::none;
  }
  if (!members_.contains(leaver)) return KafkaError::unknown_member_id;
  remove(leaver, now_ms);
  return KafkaError::none;
}

KafkaError Group::check_commit(const std::string& id, const std::optional<std::string>& instance, int32_t generation,
                               int64_t now_ms) {
  if (generation < 0 && members_.empty()) return KafkaError::none;
  const auto [member, error] = find(id, instance);
  if (member == nullptr) return error;
  if (generation != generation_) return KafkaError::illegal_generation;
  heard_of(*member, now_ms);
  return state_ == State::completing ? KafkaError::rebalance_in_progress : KafkaError::none;
}

void Group::tick(int64_t now_ms) {
  const auto broken = std::erase_if(promised_, [&](const auto& entry) { return entry.second <= now_ms; });
  std::vector<std::string> lost;
  for (const auto& [id, member] : members_) {
    const bool silent = !member.waits() && member.lost_at_ms <= now_ms;
    const bool unsynced = state_ == State::completing && sync_ends_ms_ <= now_ms && !member.syncing;
    if (silent || unsynced) lost.push_back(id);
  }
  for (const auto& id : lost) remove(id, now_ms);
  if (state_ == State::preparing && (broken > 0 || gather_until_ms_ <= now_ms)) {
    complete_join_if_due(now_ms);
  }
}

int64_t Group::next_deadline_ms() const {
  int64_t next = INT64_MAX;
  for (const auto& [id, until] : promised_) next = std::min(next, until);
  for (const auto& [id, member] : members_) {
    if (!member.waits()) next = std::min(next, member.lost_at_ms);
  }
  if (state_ == State::preparing) {
    const bool all = promised_.empty() &&
                     std::ranges::all_of(members_, [](const auto& entry) { return entry.second.joining != nullptr; });
    next = std::min(next, all ? gather_until_ms_ : rebalance_ends_ms_);
  }
  if (state_ == State::completing) next = std::min(next, sync_ends_ms_);
  return next;
}

void Group::abandon(KafkaError error) {
  for (auto& [id, member] : members_) {
    tell(member.joining, refused(error, id));
    tell(member.syncing, {.error = error});
  }
}

bool Group::subscribes(std::string_view topic) const {
  if (protocol_type_ != "consumer") return false;
  for (const auto& [id, member] : members_) {
    for (const auto& protocol : member.protocols) {
      Reader in(protocol.metadata);  // version i16 | topics: array of string | …
      in.integer<int16_t>();
      const int32_t count = in.array(false);
      for (int32_t i = 0; i < count && in.ok(); ++i) {
        if (in.string(false) == topic && in.ok()) return true;
      }
    }
  }
  return false;
}

GroupView Group::view() const {
  GroupView view;
  view.state = name_of(state_);
  view.protocol_type = protocol_type_;
  const bool stable = state_ == State::stable;
  if (stable) view.protocol = protocol_;
  for (const auto& [id, member] : members_) {
    view.members.push_back({id, member.instance_id, member.client_id, member.client_host,
                            stable ? metadata_of(member, protocol_) : std::string(),
                            stable ? member.assignment : std::string()});
  }
  return view;
}

}  // namespace pinflow::kafka
