#include "kafka/codec/produce.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, ProduceRequest::Topic::Partition& m) {
  f(m.index, m.records);
}

template <class F>
void fields(F& f, ProduceRequest::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, ProduceRequest& m) {
  f.since(3, m.transactional_id);
  f(m.acks, m.timeout_ms, m.topics);
}
template struct Codec<ProduceRequest>;

template <class F>
void fields(F& f, ProduceResponse::Topic::Partition::RecordError& m) {
  f(m.batch_index, m.message);
}

template <class F>
void fields(F& f, ProduceResponse::Topic::Partition::Leader& m) {
  f(m.leader_id, m.leader_epoch);
}

template <class F>
void fields(F& f, ProduceResponse::Topic::Partition& m) {
  f(m.index, m.error_code, m.base_offset);
  f.since(2, m.log_append_time_ms);
  f.since(5, m.log_start_offset);
  f.since(8, m.record_errors, m.error_message);
  if (f.version() >= 10) f.tagged(0, m.current_leader);
}

template <class F>
void fields(F& f, ProduceResponse::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, ProduceResponse::Node& m) {
  f(m.node_id, m.host, m.port, m.rack);
}

template <class F>
void fields(F& f, ProduceResponse& m) {
  f(m.topics);
  f.since(1, m.throttle_time_ms);
  if (f.version() >= 10) f.tagged(0, m.node_endpoints);
}
template struct Codec<ProduceResponse>;

}  // namespace pinflow::kafka
