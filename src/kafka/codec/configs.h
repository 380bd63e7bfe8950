// Configurations: DescribeConfigs (32), AlterConfigs (33), IncrementalAlterConfigs (44).
// Resource types: 2 topic, 4 broker, 8 broker logger. Sources: 1 topic, 4 static broker, 5 default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct DescribeConfigsRequest {
  static constexpr Api api = Api::describe_configs;
  struct Resource {
    int8_t type = 0;
    std::string name;
    std::optional<std::vector<std::string>> keys;  // null: all
  };

  std::vector<Resource> resources;
  bool include_synonyms = false;       // version 1 on
  bool include_documentation = false;  // version 3 on
};

struct DescribeConfigsResponse {
  static constexpr Api api = Api::describe_configs;
  struct Result {
    struct Config {
      struct Synonym {
        std::string name;
        std::optional<std::string> value;
        int8_t source = 0;
      };
      std::string name;
      std::optional<std::string> value;
      bool read_only = false;
      int8_t source = -1;  // version 1 on
      bool is_sensitive = false;
      std::vector<Synonym> synonyms;             // version 1 on
      int8_t config_type = 0;                    // version 3 on; 1 boolean, 2 string, 3 int, 5 long, 6 double, 7 list
      std::optional<std::string> documentation;  // version 3 on
    };
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int8_t type = 0;
    std::string name;
    std::vector<Config> configs;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Result> results;
};

struct AlterConfigsRequest {
  static constexpr Api api = Api::alter_configs;
  struct Resource {
    struct Config {
      std::string name;
      std::optional<std::string> value;
    };
    int8_t type = 0;
    std::string name;
    std::vector<Config> configs;  // all that are to be set: the others go back to their defaults
  };

  std::vector<Resource> resources;
  bool validate_only = false;
};

struct AlterConfigsResponse {
  static constexpr Api api = Api::alter_configs;
  struct Resource {
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int8_t type = 0;
    std::string name;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Resource> resources;
};

struct IncrementalAlterConfigsRequest {
  static constexpr Api api = Api::incremental_alter_configs;
  struct Resource {
    struct Config {
      std::string name;
      int8_t operation = 0;  // 0 set, 1 delete, 2 append to a list, 3 subtract from a list
      std::optional<std::string> value;
    };
    int8_t type = 0;
    std::string name;
    std::vector<Config> configs;
  };

  std::vector<Resource> resources;
  bool validate_only = false;
};

struct IncrementalAlterConfigsResponse {
  static constexpr Api api = Api::incremental_alter_configs;
  struct Resource {
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int8_t type = 0;
    std::string name;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Resource> resources;
};

}  // namespace pinflow::kafka
