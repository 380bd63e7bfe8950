// OffsetFetch (9), versions 1 to 9. From version 8 on a request names several groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct OffsetFetchRequest {
  static constexpr Api api = Api::offset_fetch;
  struct Topic {
    std::string name;
    std::vector<int32_t> partitions;
  };
  struct Group {
    struct Topic {
      std::string name;
      std::vector<int32_t> partitions;
    };
    std::string group_id;
    std::optional<std::string> member_id;  // version 9 on
    int32_t member_epoch = -1;             // version 9 on
    std::optional<std::vector<Topic>> topics;
  };

  std::string group_id;                      // up to version 7
  std::optional<std::vector<Topic>> topics;  // up to version 7; null: all
  std::vector<Group> groups;                 // version 8 on
  bool require_stable = false;               // version 7 on
};

struct OffsetFetchResponse {
  static constexpr Api api = Api::offset_fetch;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int64_t offset = -1;
      int32_t leader_epoch = -1;  // version 5 on
      std::optional<std::string> metadata;
      int16_t error_code = 0;
    };
    std::string name;
    std::vector<Partition> partitions;
  };
  struct Group {
    struct Topic {
      struct Partition {
        int32_t partition = 0;
        int64_t offset = -1;
        int32_t leader_epoch = -1;
        std::optional<std::string> metadata;
        int16_t error_code = 0;
      };
      std::string name;
      std::vector<Partition> partitions;
    };
    std::string group_id;
    std::vector<Topic> topics;
    int16_t error_code = 0;
  };

  int32_t throttle_time_ms = 0;  // version 3 on
  std::vector<Topic> topics;     // up to version 7
  int16_t error_code = 0;        // versions 2 to 7
  std::vector<Group> groups;     // version 8 on
};

}  // namespace pinflow::kafka
