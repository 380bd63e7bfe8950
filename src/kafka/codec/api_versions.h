// ApiVersions (18), versions 0 to 4. Its response header never has tags; an unknown version is answered in version 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct ApiVersionsRequest {
  static constexpr Api api = Api::api_versions;
  std::string client_software_name;     // version 3 on
  std::string client_software_version;  // version 3 on
};

struct ApiVersionsResponse {
  static constexpr Api api = Api::api_versions;
  struct Range {
    int16_t api_key = 0;
    int16_t min_version = 0;
    int16_t max_version = 0;
  };
  struct Feature {
    std::string name;
    int16_t min_version = 0;
    int16_t max_version = 0;
    bool operator==(const Feature&) const = default;
  };
  struct FinalizedFeature {
    std::string name;
    int16_t max_version_level = 0;
    int16_t min_version_level = 0;
    bool operator==(const FinalizedFeature&) const = default;
  };

  int16_t error_code = 0;
  std::vector<Range> apis;
  int32_t throttle_time_ms = 0;                      // version 1 on
  std::vector<Feature> supported_features;           // version 3 on
  int64_t finalized_features_epoch = -1;             // version 3 on
  std::vector<FinalizedFeature> finalized_features;  // version 3 on
  bool zk_migration_ready = false;                   // version 3 on
};

}  // namespace pinflow::kafka
