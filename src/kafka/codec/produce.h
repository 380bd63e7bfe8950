// Produce (0), versions 3 to 11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct ProduceRequest {
  static constexpr Api api = Api::produce;
  struct Topic {
    struct Partition {
      int32_t index = 0;
      std::optional<Bytes> records;
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  std::optional<std::string> transactional_id;  // version 3 on
  int16_t acks = 0;                             // 0 no answer, 1 leader, -1 all in sync
  int32_t timeout_ms = 0;
  std::vector<Topic> topics;
};

struct ProduceResponse {
  static constexpr Api api = Api::produce;
  struct Topic {
    struct Partition {
      struct RecordError {
        int32_t batch_index = 0;
        std::optional<std::string> message;
      };
      struct Leader {
        int32_t leader_id = -1;
        int32_t leader_epoch = -1;
        bool operator==(const Leader&) const = default;
      };
      int32_t index = 0;
      int16_t error_code = 0;
      int64_t base_offset = -1;
      int64_t log_append_time_ms = -1;           // version 2 on; -1 where the producer's own timestamps were kept
      int64_t log_start_offset = -1;             // version 5 on
      std::vector<RecordError> record_errors;    // version 8 on
      std::optional<std::string> error_message;  // version 8 on
      std::optional<Leader> current_leader;      // version 10 on
    };
    std::string name;
    std::vector<Partition> partitions;
  };
  struct Node {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    bool operator==(const Node&) const = default;
  };

  std::vector<Topic> topics;
  int32_t throttle_time_ms = 0;      // version 1 on
  std::vector<Node> node_endpoints;  // version 10 on
};

}  // namespace pinflow::kafka
