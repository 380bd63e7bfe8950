#include "kafka/codec/offset_for_leader_epoch.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, OffsetForLeaderEpochRequest::Topic::Partition& m) {
  f(m.partition);
  f.since(2, m.current_leader_epoch);
  f(m.leader_epoch);
}

template <class F>
void fields(F& f, OffsetForLeaderEpochRequest::Topic& m) {
  f(m.topic, m.partitions);
}

template <class F>
void fields(F& f, OffsetForLeaderEpochRequest& m) {
  f.since(3, m.replica_id);
  f(m.topics);
}
template struct Codec<OffsetForLeaderEpochRequest>;

template <class F>
void fields(F& f, OffsetForLeaderEpochResponse::Topic::Partition& m) {
  f(m.error_code, m.partition);
  f.since(1, m.leader_epoch);
  f(m.end_offset);
}

template <class F>
void fields(F& f, OffsetForLeaderEpochResponse::Topic& m) {
  f(m.topic, m.partitions);
}

template <class F>
void fields(F& f, OffsetForLeaderEpochResponse& m) {
  f.since(2, m.throttle_time_ms);
  f(m.topics);
}
template struct Codec<OffsetForLeaderEpochResponse>;

}  // namespace pinflow::kafka
