// Looking after groups: DescribeGroups (15), ListGroups (16), DeleteGroups (42), OffsetDelete (47).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct DescribeGroupsRequest {
  static constexpr Api api = Api::describe_groups;
  std::vector<std::string> groups;
  bool include_authorized_operations = false;  // version 3 on
};

struct DescribeGroupsResponse {
  static constexpr Api api = Api::describe_groups;
  struct Group {
    struct Member {
      std::string member_id;
      std::optional<std::string> group_instance_id;  // version 4 on
      std::string client_id;
      std::string client_host;
      Bytes member_metadata;
      Bytes member_assignment;
    };
    int16_t error_code = 0;
    std::string group_id;
    std::string group_state;
    std::string protocol_type;
    std::string protocol_data;
    std::vector<Member> members;
    int32_t authorized_operations = INT32_MIN;  // version 3 on
  };

  int32_t throttle_time_ms = 0;  // version 1 on
  std::vector<Group> groups;
};

struct ListGroupsRequest {
  static constexpr Api api = Api::list_groups;
  std::vector<std::string> states_filter;  // version 4 on
  std::vector<std::string> types_filter;   // version 5 on
};

struct ListGroupsResponse {
  static constexpr Api api = Api::list_groups;
  struct Group {
    std::string group_id;
    std::string protocol_type;
    std::string group_state;  // version 4 on
    std::string group_type;   // version 5 on
  };

  int32_t throttle_time_ms = 0;  // version 1 on
  int16_t error_code = 0;
  std::vector<Group> groups;
};

struct DeleteGroupsRequest {
  static constexpr Api api = Api::delete_groups;
  std::vector<std::string> groups;
};

struct DeleteGroupsResponse {
  static constexpr Api api = Api::delete_groups;
  struct Group {
    std::string group_id;
    int16_t error_code = 0;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Group> results;
};

struct OffsetDeleteRequest {
  static constexpr Api api = Api::offset_delete;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  std::string group_id;
  std::vector<Topic> topics;
};

struct OffsetDeleteResponse {
  static constexpr Api api = Api::offset_delete;
  struct Topic {
    struct Partition {
      int32_t partition = 0;
      int16_t error_code = 0;
    };
    std::string name;
    std::vector<Partition> partitions;
  };

  int16_t error_code = 0;
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};

}  // namespace pinflow::kafka
