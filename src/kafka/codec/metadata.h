// Metadata (3), versions 0 to 12.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct MetadataRequest {
  static constexpr Api api = Api::metadata;
  struct Topic {
    Uuid topic_id;                    // version 10 on
    std::optional<std::string> name;  // null, from version 10 on: by id
  };

  std::optional<std::vector<Topic>> topics;            // all: null, in version 0 an empty list
  bool allow_auto_topic_creation = true;               // version 4 on
  bool include_cluster_authorized_operations = false;  // versions 8 to 10
  bool include_topic_authorized_operations = false;    // version 8 on
};

struct MetadataResponse {
  static constexpr Api api = Api::metadata;
  struct Broker {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;  // version 1 on
  };
  struct Topic {
    struct Partition {
      int16_t error_code = 0;
      int32_t partition = 0;
      int32_t leader_id = 0;
      int32_t leader_epoch = -1;  // version 7 on
      std::vector<int32_t> replicas;
      std::vector<int32_t> in_sync;
      std::vector<int32_t> offline;  // version 5 on
    };
    int16_t error_code = 0;
    std::optional<std::string> name;
    Uuid topic_id;             // version 10 on
    bool is_internal = false;  // version 1 on
    std::vector<Partition> partitions;
    int32_t authorized_operations = INT32_MIN;  // version 8 on
  };

  int32_t throttle_time_ms = 0;  // version 3 on
  std::vector<Broker> brokers;
  std::optional<std::string> cluster_id;  // version 2 on
  int32_t controller_id = -1;             // version 1 on
  std::vector<Topic> topics;
  int32_t cluster_authorized_operations = INT32_MIN;  // versions 8 to 10
};

}  // namespace pinflow::kafka
