#include "kafka/codec/init_producer_id.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, InitProducerIdRequest& m) {
  f(m.transactional_id, m.transaction_timeout_ms);
  f.since(3, m.producer_id, m.producer_epoch);
}
template struct Codec<InitProducerIdRequest>;

template <class F>
void fields(F& f, InitProducerIdResponse& m) {
  f(m.throttle_time_ms, m.error_code, m.producer_id, m.producer_epoch);
}
template struct Codec<InitProducerIdResponse>;

}  // namespace pinflow::kafka
