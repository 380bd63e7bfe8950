// The one list of the APIs that Pinflow speaks, with their version ranges. Pure.
// https://kafka.apache.org/protocol#protocol_api_keys
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pinflow::kafka {

enum class Api : int16_t {
  produce = 0,
  fetch = 1,
  list_offsets = 2,
  metadata = 3,
  offset_commit = 8,
  offset_fetch = 9,
  find_coordinator = 10,
  join_group = 11,
  heartbeat = 12,
  leave_group = 13,
  sync_group = 14,
  describe_groups = 15,
  list_groups = 16,
  api_versions = 18,
  create_topics = 19,
  delete_topics = 20,
  delete_records = 21,
  init_producer_id = 22,
  offset_for_leader_epoch = 23,
  describe_configs = 32,
  alter_configs = 33,
  create_partitions = 37,
  delete_groups = 42,
  incremental_alter_configs = 44,
  offset_delete = 47,
  describe_cluster = 60,
};

inline constexpr int16_t kNeverFlexible = 0x7fff;

struct ApiSpec {
  Api api;
  std::string_view name;
  int16_t min;  // versions that are read and written
  int16_t max;
  int16_t first_flexible;  // from here on: compact types, tagged fields, request header 2, response header 1
  int16_t advertised_min;  // what ApiVersions says
};

// By key.
std::span<const ApiSpec> all_apis();

// Null for an API that is not in the list.
const ApiSpec* find_api(int16_t key);
const ApiSpec& spec_of(Api api);

inline bool is_flexible(Api api, int16_t version) { return version >= spec_of(api).first_flexible; }

}  // namespace pinflow::kafka
