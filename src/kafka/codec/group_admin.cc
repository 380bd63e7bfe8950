#include "kafka/codec/group_admin.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, DescribeGroupsRequest& m) {
  f(m.groups);
  f.since(3, m.include_authorized_operations);
}
template struct Codec<DescribeGroupsRequest>;

template <class F>
void fields(F& f, DescribeGroupsResponse::Group::Member& m) {
  f(m.member_id);
  f.since(4, m.group_instance_id);
  f(m.client_id, m.client_host, m.member_metadata, m.member_assignment);
}

template <class F>
void fields(F& f, DescribeGroupsResponse::Group& m) {
  f(m.error_code, m.group_id, m.group_state, m.protocol_type, m.protocol_data, m.members);
  f.since(3, m.authorized_operations);
}

template <class F>
void fields(F& f, DescribeGroupsResponse& m) {
  f.since(1, m.throttle_time_ms);
  f(m.groups);
}
template struct Codec<DescribeGroupsResponse>;

template <class F>
void fields(F& f, ListGroupsRequest& m) {
  f.since(4, m.states_filter);
  f.since(5, m.types_filter);
}
template struct Codec<ListGroupsRequest>;

template <class F>
void fields(F& f, ListGroupsResponse::Group& m) {
  f(m.group_id, m.protocol_type);
  f.since(4, m.group_state);
  f.since(5, m.group_type);
}

template <class F>
void fields(F& f, ListGroupsResponse& m) {
  f.since(1, m.throttle_time_ms);
  f(m.error_code, m.groups);
}
template struct Codec<ListGroupsResponse>;

template <class F>
void fields(F& f, DeleteGroupsRequest& m) {
  f(m.groups);
}
template struct Codec<DeleteGroupsRequest>;

template <class F>
void fields(F& f, DeleteGroupsResponse::Group& m) {
  f(m.group_id, m.error_code);
}

template <class F>
void fields(F& f, DeleteGroupsResponse& m) {
  f(m.throttle_time_ms, m.results);
}
template struct Codec<DeleteGroupsResponse>;

template <class F>
void fields(F& f, OffsetDeleteRequest::Topic::Partition& m) {
  f(m.partition);
}

template <class F>
void fields(F& f, OffsetDeleteRequest::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetDeleteRequest& m) {
  f(m.group_id, m.topics);
}
template struct Codec<OffsetDeleteRequest>;

template <class F>
void fields(F& f, OffsetDeleteResponse::Topic::Partition& m) {
  f(m.partition, m.error_code);
}

template <class F>
void fields(F& f, OffsetDeleteResponse::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetDeleteResponse& m) {
  f(m.error_code, m.throttle_time_ms, m.topics);
}
template struct Codec<OffsetDeleteResponse>;

}  // namespace pinflow::kafka
