#include "kafka/codec/offset_fetch.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, OffsetFetchRequest::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetFetchRequest::Group::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetFetchRequest::Group& m) {
  f(m.group_id);
  f.since(9, m.member_id, m.member_epoch);
  f(m.topics);
}

template <class F>
void fields(F& f, OffsetFetchRequest& m) {
  f.between(0, 7, m.group_id, m.topics);
  f.since(8, m.groups);
  f.since(7, m.require_stable);
}
template struct Codec<OffsetFetchRequest>;

template <class F>
void fields(F& f, OffsetFetchResponse::Topic::Partition& m) {
  f(m.partition, m.offset);
  f.since(5, m.leader_epoch);
  f(m.metadata, m.error_code);
}

template <class F>
void fields(F& f, OffsetFetchResponse::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetFetchResponse::Group::Topic::Partition& m) {
  f(m.partition, m.offset, m.leader_epoch, m.metadata, m.error_code);
}

template <class F>
void fields(F& f, OffsetFetchResponse::Group::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetFetchResponse::Group& m) {
  f(m.group_id, m.topics, m.error_code);
}

template <class F>
void fields(F& f, OffsetFetchResponse& m) {
  f.since(3, m.throttle_time_ms);
  f.between(0, 7, m.topics);
  f.between(2, 7, m.error_code);
  f.since(8, m.groups);
}
template struct Codec<OffsetFetchResponse>;

}  // namespace pinflow::kafka
