#include "kafka/codec/fetch.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, FetchRequest::Topic::Partition& m) {
  f(m.partition);
  f.since(9, m.current_leader_epoch);
  f(m.fetch_offset);
  f.since(12, m.last_fetched_epoch);
  f.since(5, m.log_start_offset);
  f(m.partition_max_bytes);
}

template <class F>
void fields(F& f, FetchRequest::Topic& m) {
  f.between(0, 12, m.topic);
  f.since(13, m.topic_id);
  f(m.partitions);
}

template <class F>
void fields(F& f, FetchRequest::Forgotten& m) {
  f.between(7, 12, m.topic);
  f.since(13, m.topic_id);
  f.since(7, m.partitions);
}

template <class F>
void fields(F& f, FetchRequest::ReplicaState& m) {
  f(m.replica_id, m.replica_epoch);
}

template <class F>
void fields(F& f, FetchRequest& m) {
  f.between(0, 14, m.replica_id);
  f(m.max_wait_ms, m.min_bytes);
  f.since(3, m.max_bytes);
  f.since(4, m.isolation_level);
  f.since(7, m.session_id, m.session_epoch);
  f(m.topics);
  f.since(7, m.forgotten_topics);
  f.since(11, m.rack_id);
  if (f.version() >= 12) f.tagged(0, m.cluster_id);
  if (f.version() >= 15) f.tagged(1, m.replica_state);
}
template struct Codec<FetchRequest>;

template <class F>
void fields(F& f, FetchResponse::Topic::Partition::AbortedTransaction& m) {
  f(m.producer_id, m.first_offset);
}

template <class F>
void fields(F& f, FetchResponse::Topic::Partition::Epoch& m) {
  f(m.epoch, m.end_offset);
}

template <class F>
void fields(F& f, FetchResponse::Topic::Partition::Leader& m) {
  f(m.leader_id, m.leader_epoch);
}

template <class F>
void fields(F& f, FetchResponse::Topic::Partition::Snapshot& m) {
  f(m.end_offset, m.epoch);
}

template <class F>
void fields(F& f, FetchResponse::Topic::Partition& m) {
  f(m.partition, m.error_code, m.high_watermark);
  f.since(4, m.last_stable_offset);
  f.since(5, m.log_start_offset);
  f.since(4, m.aborted_transactions);
  f.since(11, m.preferred_read_replica);
  f(m.records);
  if (f.version() >= 12) f.tagged(0, m.diverging_epoch);
  if (f.version() >= 12) f.tagged(1, m.current_leader);
  if (f.version() >= 12) f.tagged(2, m.snapshot_id);
}

template <class F>
void fields(F& f, FetchResponse::Topic& m) {
  f.between(0, 12, m.topic);
  f.since(13, m.topic_id);
  f(m.partitions);
}

template <class F>
void fields(F& f, FetchResponse::Node& m) {
  f(m.node_id, m.host, m.port, m.rack);
}

template <class F>
void fields(F& f, FetchResponse& m) {
  f.since(1, m.throttle_time_ms);
  f.since(7, m.error_code, m.session_id);
  f(m.topics);
  if (f.version() >= 16) f.tagged(0, m.node_endpoints);
}
template struct Codec<FetchResponse>;

}  // namespace pinflow::kafka
