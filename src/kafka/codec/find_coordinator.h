// FindCoordinator (10), versions 0 to 4. From version 4 on a request names several keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct FindCoordinatorRequest {
  static constexpr Api api = Api::find_coordinator;
  std::string key;                // up to version 3
  int8_t key_type = 0;            // version 1 on; 0 group, 1 transactional id
  std::vector<std::string> keys;  // version 4 on
};

struct FindCoordinatorResponse {
  static constexpr Api api = Api::find_coordinator;
  struct Coordinator {
    std::string key;
    int32_t node_id = -1;
    std::string host;
    int32_t port = -1;
    int16_t error_code = 0;
    std::optional<std::string> error_message;
  };

  int32_t throttle_time_ms = 0;              // version 1 on
  int16_t error_code = 0;                    // up to version 3
  std::optional<std::string> error_message;  // versions 1 to 3
  int32_t node_id = -1;                      // up to version 3
  std::string host;                          // up to version 3
  int32_t port = -1;                         // up to version 3
  std::vector<Coordinator> coordinators;     // version 4 on
};

}  // namespace pinflow::kafka
