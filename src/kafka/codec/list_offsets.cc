#include "kafka/codec/list_offsets.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, ListOffsetsRequest::Topic::Partition& m) {
  f(m.partition);
  f.since(4, m.current_leader_epoch);
  f(m.timestamp);
}

template <class F>
void fields(F& f, ListOffsetsRequest::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, ListOffsetsRequest& m) {
  f(m.replica_id);
  f.since(2, m.isolation_level);
  f(m.topics);
}
template struct Codec<ListOffsetsRequest>;

template <class F>
void fields(F& f, ListOffsetsResponse::Topic::Partition& m) {
  f(m.partition, m.error_code);
  f.since(1, m.timestamp, m.offset);
  f.since(4, m.leader_epoch);
}

template <class F>
void fields(F& f, ListOffsetsResponse::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, ListOffsetsResponse& m) {
  f.since(2, m.throttle_time_ms);
  f(m.topics);
}
template struct Codec<ListOffsetsResponse>;

}  // namespace pinflow::kafka
