// ListOffsets (2), versions 1 to 8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct ListOffsetsRequest {
  static constexpr Api api = Api::list_offsets;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int32_t current_leader_epoch = -1;  // version 4 on
      int64_t timestamp = 0;  // or -1 latest, -2 earliest, -3 that of the greatest timestamp, -4 earliest on this disk
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  int32_t replica_id = -1;
  int8_t isolation_level = 0;  // version 2 on
  std::vector<Topic> topics;
};

struct ListOffsetsResponse {
  static constexpr Api api = Api::list_offsets;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int16_t error_code = 0;
      int64_t timestamp = -1;     // version 1 on
      int64_t offset = -1;        // version 1 on
      int32_t leader_epoch = -1;  // version 4 on
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  int32_t throttle_time_ms = 0;  // version 2 on
  std::vector<Topic> topics;
};

}  // namespace pinflow::kafka
