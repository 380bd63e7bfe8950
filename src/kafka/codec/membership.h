// The classic consumer group protocol: JoinGroup (11), Heartbeat (12), LeaveGroup (13), SyncGroup (14).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct JoinGroupRequest {
  static constexpr Api api = Api::join_group;
  struct Protocol {
    std::string name;
    Bytes metadata;
  };

  std::string group_id;
  int32_t session_timeout_ms = 0;
  int32_t rebalance_timeout_ms = -1;  // version 1 on
  std::string member_id;
  std::optional<std::string> group_instance_id;  // version 5 on
  std::string protocol_type;
  std::vector<Protocol> protocols;
  std::optional<std::string> reason;  // version 8 on
};

struct JoinGroupResponse {
  static constexpr Api api = Api::join_group;
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;  // version 5 on
    Bytes metadata;
  };

  int32_t throttle_time_ms = 0;  // version 2 on
  int16_t error_code = 0;
  int32_t generation_id = -1;
  std::optional<std::string> protocol_type;  // version 7 on
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;  // version 9 on
  std::string member_id;
  std::vector<Member> members;  // the leader's answer only
};

struct HeartbeatRequest {
  static constexpr Api api = Api::heartbeat;
  std::string group_id;
  int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;  // version 3 on
};

struct HeartbeatResponse {
  static constexpr Api api = Api::heartbeat;
  int32_t throttle_time_ms = 0;  // version 1 on
  int16_t error_code = 0;
};

struct LeaveGroupRequest {
  static constexpr Api api = Api::leave_group;
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> reason;  // version 5 on
  };

  std::string group_id;
  std::string member_id;        // up to version 2
  std::vector<Member> members;  // version 3 on
};

struct LeaveGroupResponse {
  static constexpr Api api = Api::leave_group;
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    int16_t error_code = 0;
  };

  int32_t throttle_time_ms = 0;  // version 1 on
  int16_t error_code = 0;
  std::vector<Member> members;  // version 3 on
};

struct SyncGroupRequest {
  static constexpr Api api = Api::sync_group;
  struct Assignment {
    std::string member_id;
    Bytes assignment;
  };

  std::string group_id;
  int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;  // version 3 on
  std::optional<std::string> protocol_type;      // version 5 on
  std::optional<std::string> protocol_name;      // version 5 on
  std::vector<Assignment> assignments;
};

struct SyncGroupResponse {
  static constexpr Api api = Api::sync_group;
  int32_t throttle_time_ms = 0;  // version 1 on
  int16_t error_code = 0;
  std::optional<std::string> protocol_type;  // version 5 on
  std::optional<std::string> protocol_name;  // version 5 on
  Bytes assignment;
};

}  // namespace pinflow::kafka
