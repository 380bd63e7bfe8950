// Topics: CreateTopics (19), DeleteTopics (20), DeleteRecords (21), CreatePartitions (37).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct CreateTopicsRequest {
  static constexpr Api api = Api::create_topics;
  struct Topic {
    struct Assignment {
      int32_t partition = 0;
      std::vector<int32_t> brokers;
    };
    struct Config {
      std::string name;
      std::optional<std::string> value;
    };
    std::string name;
    int32_t partitions = 0;          // -1: the broker's default
    int16_t replication_factor = 0;  // -1: the broker's default
    std::vector<Assignment> assignments;
    std::vector<Config> configs;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 60000;
  bool validate_only = false;  // version 1 on
};

struct CreateTopicsResponse {
  static constexpr Api api = Api::create_topics;
  struct Topic {
    struct Config {
      std::string name;
      std::optional<std::string> value;
      bool read_only = false;
      int8_t config_source = -1;
      bool is_sensitive = false;
    };
    std::string name;
    Uuid topic_id;  // version 7 on
    int16_t error_code = 0;
    std::optional<std::string> error_message;    // version 1 on
    int32_t partitions = -1;                     // version 5 on
    int16_t replication_factor = -1;             // version 5 on
    std::optional<std::vector<Config>> configs;  // version 5 on
    int16_t config_error_code = 0;               // version 5 on
  };

  int32_t throttle_time_ms = 0;  // version 2 on
  std::vector<Topic> topics;
};

struct DeleteTopicsRequest {
  static constexpr Api api = Api::delete_topics;
  struct Topic {
    std::optional<std::string> name;  // null: by id
    Uuid topic_id;
  };

  std::vector<Topic> topics;             // version 6 on
  std::vector<std::string> topic_names;  // up to version 5
  int32_t timeout_ms = 0;
};

struct DeleteTopicsResponse {
  static constexpr Api api = Api::delete_topics;
  struct Topic {
    std::optional<std::string> name;
    Uuid topic_id;  // version 6 on
    int16_t error_code = 0;
    std::optional<std::string> error_message;  // version 5 on
  };

  int32_t throttle_time_ms = 0;  // version 1 on
  std::vector<Topic> topics;
};

struct DeleteRecordsRequest {
  static constexpr Api api = Api::delete_records;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int64_t offset = 0;  // records before it go; -1: all that are there
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 0;
};

struct DeleteRecordsResponse {
  static constexpr Api api = Api::delete_records;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int64_t low_watermark = -1;
      int16_t error_code = 0;
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};

struct CreatePartitionsRequest {
  static constexpr Api api = Api::create_partitions;
  struct Topic {
    struct Assignment {
      std::vector<int32_t> brokers;
    };
    std::string name;
    int32_t count = 0;  // the new total
    std::optional<std::vector<Assignment>> assignments;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 0;
  bool validate_only = false;
};

struct CreatePartitionsResponse {
  static constexpr Api api = Api::create_partitions;
  struct Topic {
    std::string name;
    int16_t error_code = 0;
    std::optional<std::string> error_message;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};

}  // namespace pinflow::kafka
