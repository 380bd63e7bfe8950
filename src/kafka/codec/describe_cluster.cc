#include "kafka/codec/describe_cluster.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, DescribeClusterRequest& m) {
  f(m.include_cluster_authorized_operations);
  f.since(1, m.endpoint_type);
}
template struct Codec<DescribeClusterRequest>;

template <class F>
void fields(F& f, DescribeClusterResponse::Broker& m) {
  f(m.broker_id, m.host, m.port, m.rack);
}

template <class F>
void fields(F& f, DescribeClusterResponse& m) {
  f(m.throttle_time_ms, m.error_code, m.error_message);
  f.since(1, m.endpoint_type);
  f(m.cluster_id, m.controller_id, m.brokers, m.cluster_authorized_operations);
}
template struct Codec<DescribeClusterResponse>;

}  // namespace pinflow::kafka
