// OffsetForLeaderEpoch (23), versions 2 to 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct OffsetForLeaderEpochRequest {
  static constexpr Api api = Api::offset_for_leader_epoch;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int32_t current_leader_epoch = -1;  // version 2 on
      int32_t leader_epoch = 0;
    };
    std::string topic;
    std::vector<Partition> partitions;
  };

  int32_t replica_id = -2;  // version 3 on
  std::vector<Topic> topics;
};

struct OffsetForLeaderEpochResponse {
  static constexpr Api api = Api::offset_for_leader_epoch;
  struct Topic {
    struct Partition {
      int16_t error_code = 0;
      int32_t partition = 0;
      int32_t leader_epoch = -1;  // version 1 on
      int64_t end_offset = -1;
    };
    std::string topic;
    std::vector<Partition> partitions;
  };

  int32_t throttle_time_ms = 0;  // version 2 on
  std::vector<Topic> topics;
};

}  // namespace pinflow::kafka
