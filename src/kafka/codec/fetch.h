// Fetch (1), versions 4 to 16. From version 13 on topics are named by id alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct FetchRequest {
  static constexpr Api api = Api::fetch;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int32_t current_leader_epoch = -1;  // version 9 on
      int64_t fetch_offset = 0;
      int32_t last_fetched_epoch = -1;  // version 12 on
      int64_t log_start_offset = -1;    // version 5 on
      int32_t partition_max_bytes = 0;
    };
    std::string topic;  // up to version 12
    Uuid topic_id;      // version 13 on
    std::vector<Partition> partitions;
  };
  struct Forgotten {
    std::string topic;                // versions 7 to 12
    Uuid topic_id;                    // version 13 on
    std::vector<int32_t> partitions;  // version 7 on
  };
  struct ReplicaState {
    int32_t replica_id = -1;
    int64_t replica_epoch = -1;
    bool operator==(const ReplicaState&) const = default;
  };

  int32_t replica_id = -1;  // up to version 14
  int32_t max_wait_ms = 0;
  int32_t min_bytes = 0;
  int32_t max_bytes = 0x7fffffff;  // version 3 on
  int8_t isolation_level = 0;      // version 4 on
  int32_t session_id = 0;          // version 7 on
  int32_t session_epoch = -1;      // version 7 on
  std::vector<Topic> topics;
  std::vector<Forgotten> forgotten_topics;    // version 7 on
  std::string rack_id;                        // version 11 on
  std::optional<std::string> cluster_id;      // version 12 on
  std::optional<ReplicaState> replica_state;  // version 15 on
};

struct FetchResponse {
  static constexpr Api api = Api::fetch;
  struct Topic {
    struct Partition {
      struct AbortedTransaction {
        int64_t producer_id = 0;
        int64_t first_offset = 0;
      };
      struct Epoch {
        int32_t epoch = -1;
        int64_t end_offset = -1;
        bool operator==(const Epoch&) const = default;
      };
      struct Leader {
        int32_t leader_id = -1;
        int32_t leader_epoch = -1;
        bool operator==(const Leader&) const = default;
      };
      struct Snapshot {
        int64_t end_offset = -1;
        int32_t epoch = -1;
        bool operator==(const Snapshot&) const = default;
      };
      int32_t partition = 0;
      int16_t error_code = 0;
      int64_t high_watermark = -1;
      int64_t last_stable_offset = -1;                                      // version 4 on
      int64_t log_start_offset = -1;                                        // version 5 on
      std::optional<std::vector<AbortedTransaction>> aborted_transactions;  // version 4 on
      int32_t preferred_read_replica = -1;                                  // version 11 on
      std::optional<Bytes> records;
      std::optional<Epoch> diverging_epoch;  // version 12 on
      std::optional<Leader> current_leader;  // version 12 on
      std::optional<Snapshot> snapshot_id;   // version 12 on
    };
    std::string topic;  // up to version 12
    Uuid topic_id;      // version 13 on
    std::vector<Partition> partitions;
  };
  struct Node {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    bool operator==(const Node&) const = default;
  };

  int32_t throttle_time_ms = 0;  // version 1 on
  int16_t error_code = 0;        // version 7 on
  int32_t session_id = 0;        // version 7 on
  std::vector<Topic> topics;
  std::vector<Node> node_endpoints;  // version 16 on
};

}  // namespace pinflow::kafka
