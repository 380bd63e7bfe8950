// InitProducerId (22), versions 0 to 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct InitProducerIdRequest {
  static constexpr Api api = Api::init_producer_id;
  std::optional<std::string> transactional_id;
  int32_t transaction_timeout_ms = 0;
  int64_t producer_id = -1;     // version 3 on
  int16_t producer_epoch = -1;  // version 3 on
};

struct InitProducerIdResponse {
  static constexpr Api api = Api::init_producer_id;
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
};

}  // namespace pinflow::kafka
