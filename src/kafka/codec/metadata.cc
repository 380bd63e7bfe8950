#include "kafka/codec/metadata.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, MetadataRequest::Topic& m) {
  f.since(10, m.topic_id);
  f(m.name);
}

template <class F>
void fields(F& f, MetadataRequest& m) {
  f(m.topics);
  f.since(4, m.allow_auto_topic_creation);
  f.between(8, 10, m.include_cluster_authorized_operations);
  f.since(8, m.include_topic_authorized_operations);
}
template struct Codec<MetadataRequest>;

template <class F>
void fields(F& f, MetadataResponse::Broker& m) {
  f(m.node_id, m.host, m.port);
  f.since(1, m.rack);
}

template <class F>
void fields(F& f, MetadataResponse::Topic::Partition& m) {
  f(m.error_code, m.partition, m.leader_id);
  f.since(7, m.leader_epoch);
  f(m.replicas, m.in_sync);
  f.since(5, m.offline);
}

template <class F>
void fields(F& f, MetadataResponse::Topic& m) {
  f(m.error_code, m.name);
  f.since(10, m.topic_id);
  f.since(1, m.is_internal);
  f(m.partitions);
  f.since(8, m.authorized_operations);
}

template <class F>
void fields(F& f, MetadataResponse& m) {
  f.since(3, m.throttle_time_ms);
  f(m.brokers);
  f.since(2, m.cluster_id);
  f.since(1, m.controller_id);
  f(m.topics);
  f.between(8, 10, m.cluster_authorized_operations);
}
template struct Codec<MetadataResponse>;

}  // namespace pinflow::kafka
