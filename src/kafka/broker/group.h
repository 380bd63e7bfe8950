// One consumer group by the classic protocol, as a state machine: calls and a clock's value in, answers out through the
// callbacks given with the calls. No thread, lock, clock or socket: the caller serialises calls and hands in `now_ms`
// (any clock that never goes back).
// https://kafka.apache.org/protocol#The_Messages_JoinGroup and KIP-345 (static members), KIP-394 (member id required)
//
//   empty ──join──► preparing ──all joined, or time over──► completing ──leader's sync──► stable
//                      ▲                                        │                            │
//                      └────────── a member joins, leaves or is lost ◄───────────────────────┘
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/client/topic_writer.h"

namespace pinflow::kafka {

struct GroupProtocol {
  std::string name;
  std::string metadata;
  bool operator==(const GroupProtocol&) const = default;
};

struct JoinAsk {
  std::string member_id;  // empty: a new member
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;  // in order of preference
  int64_t session_timeout_ms = 0;
  int64_t rebalance_timeout_ms = 0;
  bool id_required = false;          // a new member must first be told its id (JoinGroup 4)
  bool may_skip_assignment = false;  // JoinGroup 9
};

struct JoinAnswer {
  KafkaError error = KafkaError::none;
  int32_t generation = -1;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::string member_id;
  bool skip_assignment = false;
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string metadata;
  };
  std::vector<Member> members;  // the leader's answer only
};
using JoinDone = std::function<void(JoinAnswer)>;

struct SyncAsk {
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::map<std::string, std::string> assignments;  // of the leader: by member
};

struct SyncAnswer {
  KafkaError error = KafkaError::none;
  std::string protocol_type;
  std::string protocol;
  std::string assignment;
};
using SyncDone = std::function<void(SyncAnswer)>;

struct GroupView {
  std::string state;  // as Kafka spells it: "Stable"
  std::string protocol_type;
  std::string protocol;
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::string metadata;
    std::string assignment;
  };
  std::vector<Member> members;
};

class Group {
 public:
  enum class State { empty, preparing, completing, stable };

  struct Limits {
    size_t max_members = 1000;
    int64_t initial_delay_ms = 0;  // how long the first rebalance waits for further members
  };
  // `new_id` gives an id that no member had before, from a client's id or its instance's.
  Group(Limits limits, std::function<std::string(std::string_view)> new_id)
      : limits_(limits), new_id_(std::move(new_id)) {}

  // `done` is called once, now or from a later call.
  void join(JoinAsk ask, int64_t now_ms, JoinDone done);
  void sync(SyncAsk ask, int64_t now_ms, SyncDone done);
  KafkaError heartbeat(const std::string& member, const std::optional<std::string>& instance, int32_t generation,
                       int64_t now_ms);
  // Either may be empty, not both.
  KafkaError leave(const std::string& member, const std::optional<std::string>& instance, int64_t now_ms);
  // May offsets be committed by this member? A negative generation is one who takes no part in the group.
  KafkaError check_commit(const std::string& member, const std::optional<std::string>& instance, int32_t generation,
                          int64_t now_ms);

  // Does what is due by now. Next due: next_deadline_ms(), INT64_MAX when nothing is.
  void tick(int64_t now_ms);
  int64_t next_deadline_ms() const;

  // Answers all who wait with `error`.
  void abandon(KafkaError error);

  State state() const { return state_; }
  bool unused() const { return members_.empty() && promised_.empty(); }
  const std::string& protocol_type() const { return protocol_type_; }
  // A consumer's member reads the topic. False for members whose subscription cannot be read.
  bool subscribes(std::string_view topic) const;
  GroupView view() const;

 private:
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    int64_t session_timeout_ms = 0;
    int64_t rebalance_timeout_ms = 0;
    std::vector<GroupProtocol> protocols;
    std::string assignment;
    JoinDone joining;        // waits for the rebalance
    SyncDone syncing;        // waits for the leader's assignment
    int64_t lost_at_ms = 0;  // when it has not been heard of for its session; not while it waits
    uint64_t order = 0;      // of joining the group
    bool waits() const { return joining != nullptr || syncing != nullptr; }
  };

  std::pair<Member*, KafkaError> find(const std::string& id, const std::optional<std::string>& instance);
  bool shares_a_protocol(const JoinAsk& ask, const Member* except) const;
  void add(std::string id, JoinAsk ask, int64_t now_ms, JoinDone done);
  void rejoin(Member& member, JoinAsk ask, int64_t now_ms, JoinDone done);
  void replace_static(const std::string& old_id, JoinAsk ask, int64_t now_ms, JoinDone done);
  void remove(const std::string& id, int64_t now_ms);
  void heard_of(Member& member, int64_t now_ms) { member.lost_at_ms = now_ms + member.session_timeout_ms; }
  void rebalance(int64_t now_ms);
  void complete_join_if_due(int64_t now_ms);
  void complete_join(int64_t now_ms);
  std::string vote() const;
  static std::string metadata_of(const Member& member, std::string_view protocol);
  JoinAnswer joined(const Member& member) const;
  SyncAnswer synced(const Member& member) const;
  int64_t longest_rebalance_ms() const;
  void choose_leader();

  const Limits limits_;
  const std::function<std::string(std::string_view)> new_id_;
  State state_ = State::empty;
  int32_t generation_ = 0;
  std::string protocol_type_;
  std::string protocol_;
  std::string leader_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> instances_;  // instance id to member id
  std::map<std::string, int64_t> promised_;       // ids given to new members that have not come back: until when
  uint64_t joins_ = 0;
  int64_t rebalance_ends_ms_ = 0;  // preparing: members that have not joined again by then are dropped
  int64_t gather_until_ms_ = 0;    // preparing: not before, so that further members may come
  int64_t sync_ends_ms_ = 0;       // completing: members that have not synced by then are dropped
};

std::string_view name_of(Group::State state);

}  // namespace pinflow::kafka
