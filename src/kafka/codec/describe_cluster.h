// DescribeCluster (60), versions 0 and 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct DescribeClusterRequest {
  static constexpr Api api = Api::describe_cluster;
  bool include_cluster_authorized_operations = false;
  int8_t endpoint_type = 1;  // version 1 on; 1 brokers, 2 controllers
};

struct DescribeClusterResponse {
  static constexpr Api api = Api::describe_cluster;
  struct Broker {
    int32_t broker_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
  };

  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  std::optional<std::string> error_message;
  int8_t endpoint_type = 1;  // version 1 on
  std::string cluster_id;
  int32_t controller_id = -1;
  std::vector<Broker> brokers;
  int32_t cluster_authorized_operations = INT32_MIN;
};

}  // namespace pinflow::kafka
