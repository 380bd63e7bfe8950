#include "kafka/codec/offset_commit.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, OffsetCommitRequest::Topic::Partition& m) {
  f(m.partition, m.offset);
  f.since(6, m.leader_epoch);
  f(m.metadata);
}

template <class F>
void fields(F& f, OffsetCommitRequest::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetCommitRequest& m) {
  f(m.group_id);
  f.since(1, m.generation_id, m.member_id);
  f.since(7, m.group_instance_id);
  f.between(2, 4, m.retention_time_ms);
  f(m.topics);
}
template struct Codec<OffsetCommitRequest>;

template <class F>
void fields(F& f, OffsetCommitResponse::Topic::Partition& m) {
  f(m.partition, m.error_code);
}

template <class F>
void fields(F& f, OffsetCommitResponse::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, OffsetCommitResponse& m) {
  f.since(3, m.throttle_time_ms);
  f(m.topics);
}
template struct Codec<OffsetCommitResponse>;

}  // namespace pinflow::kafka
