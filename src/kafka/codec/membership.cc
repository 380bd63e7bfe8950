#include "kafka/codec/membership.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, JoinGroupRequest::Protocol& m) {
  f(m.name, m.metadata);
}

template <class F>
void fields(F& f, JoinGroupRequest& m) {
  f(m.group_id, m.session_timeout_ms);
  f.since(1, m.rebalance_timeout_ms);
  f(m.member_id);
  f.since(5, m.group_instance_id);
  f(m.protocol_type, m.protocols);
  f.since(8, m.reason);
}
template struct Codec<JoinGroupRequest>;

template <class F>
void fields(F& f, JoinGroupResponse::Member& m) {
  f(m.member_id);
  f.since(5, m.group_instance_id);
  f(m.metadata);
}

template <class F>
void fields(F& f, JoinGroupResponse& m) {
  f.since(2, m.throttle_time_ms);
  f(m.error_code, m.generation_id);
  f.since(7, m.protocol_type);
  f(m.protocol_name, m.leader);
  f.since(9, m.skip_assignment);
  f(m.member_id, m.members);
}
template struct Codec<JoinGroupResponse>;

template <class F>
void fields(F& f, HeartbeatRequest& m) {
  f(m.group_id, m.generation_id, m.member_id);
  f.since(3, m.group_instance_id);
}
template struct Codec<HeartbeatRequest>;

template <class F>
void fields(F& f, HeartbeatResponse& m) {
  f.since(1, m.throttle_time_ms);
  f(m.error_code);
}
template struct Codec<HeartbeatResponse>;

template <class F>
void fields(F& f, LeaveGroupRequest::Member& m) {
  f(m.member_id, m.group_instance_id);
  f.since(5, m.reason);
}

template <class F>
void fields(F& f, LeaveGroupRequest& m) {
  f(m.group_id);
  f.between(0, 2, m.member_id);
  f.since(3, m.members);
}
template struct Codec<LeaveGroupRequest>;

template <class F>
void fields(F& f, LeaveGroupResponse::Member& m) {
  f(m.member_id, m.group_instance_id, m.error_code);
}

template <class F>
void fields(F& f, LeaveGroupResponse& m) {
  f.since(1, m.throttle_time_ms);
  f(m.error_code);
  f.since(3, m.members);
}
template struct Codec<LeaveGroupResponse>;

template <class F>
void fields(F& f, SyncGroupRequest::Assignment& m) {
  f(m.member_id, m.assignment);
}

template <class F>
void fields(F& f, SyncGroupRequest& m) {
  f(m.group_id, m.generation_id, m.member_id);
  f.since(3, m.group_instance_id);
  f.since(5, m.protocol_type, m.protocol_name);
  f(m.assignments);
}
template struct Codec<SyncGroupRequest>;

template <class F>
void fields(F& f, SyncGroupResponse& m) {
  f.since(1, m.throttle_time_ms);
  f(m.error_code);
  f.since(5, m.protocol_type, m.protocol_name);
  f(m.assignment);
}
template struct Codec<SyncGroupResponse>;

}  // namespace pinflow::kafka
