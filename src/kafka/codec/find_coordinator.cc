#include "kafka/codec/find_coordinator.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, FindCoordinatorRequest& m) {
  f.between(0, 3, m.key);
  f.since(1, m.key_type);
  f.since(4, m.keys);
}
template struct Codec<FindCoordinatorRequest>;

template <class F>
void fields(F& f, FindCoordinatorResponse::Coordinator& m) {
  f(m.key, m.node_id, m.host, m.port, m.error_code, m.error_message);
}

template <class F>
void fields(F& f, FindCoordinatorResponse& m) {
  f.since(1, m.throttle_time_ms);
  f.between(0, 3, m.error_code);
  f.between(1, 3, m.error_message);
  f.between(0, 3, m.node_id, m.host, m.port);
  f.since(4, m.coordinators);
}
template struct Codec<FindCoordinatorResponse>;

}  // namespace pinflow::kafka
