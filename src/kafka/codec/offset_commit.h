// OffsetCommit (8), versions 2 to 9.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct OffsetCommitRequest {
  static constexpr Api api = Api::offset_commit;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int64_t offset = 0;
      int32_t leader_epoch = -1;  // version 6 on
      std::optional<std::string> metadata;
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  std::string group_id;
  int32_t generation_id = -1;                    // version 1 on
  std::string member_id;                         // version 1 on
  std::optional<std::string> group_instance_id;  // version 7 on
  int64_t retention_time_ms = -1;                // versions 2 to 4
  std::vector<Topic> topics;
};

struct OffsetCommitResponse {
  static constexpr Api api = Api::offset_commit;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int16_t error_code = 0;
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  int32_t throttle_time_ms = 0;  // version 3 on
  std::vector<Topic> topics;
};

}  // namespace pinflow::kafka
