#include "kafka/codec/api.h"

#include <algorithm>
#include <cstdlib>

namespace pinflow::kafka {
namespace {

// Produce is advertised from 0 because librdkafka before 2.9 takes a broker without Produce 0 for one that cannot
// take compressed records (KAFKA-18659); below 3 it is answered with unsupported_version.
constexpr ApiSpec kApis[] = {
    {Api::produce, "Produce", 3, 11, 9, 0},
    {Api::fetch, "Fetch", 4, 16, 12, 4},
    {Api::list_offsets, "ListOffsets", 1, 8, 6, 1},
    {Api::metadata, "Metadata", 0, 12, 9, 0},
    {Api::offset_commit, "OffsetCommit", 2, 9, 8, 2},
    {Api::offset_fetch, "OffsetFetch", 1, 9, 6, 1},
    {Api::find_coordinator, "FindCoordinator", 0, 4, 3, 0},
    {Api::join_group, "JoinGroup", 0, 9, 6, 0},
    {Api::heartbeat, "Heartbeat", 0, 4, 4, 0},
    {Api::leave_group, "LeaveGroup", 0, 5, 4, 0},
    {Api::sync_group, "SyncGroup", 0, 5, 4, 0},
    {Api::describe_groups, "DescribeGroups", 0, 5, 5, 0},
    {Api::list_groups, "ListGroups", 0, 5, 3, 0},
    {Api::api_versions, "ApiVersions", 0, 4, 3, 0},
    {Api::create_topics, "CreateTopics", 2, 7, 5, 2},
    {Api::delete_topics, "DeleteTopics", 1, 6, 4, 1},
    {Api::delete_records, "DeleteRecords", 0, 2, 2, 0},
    {Api::init_producer_id, "InitProducerId", 0, 4, 2, 0},
    {Api::offset_for_leader_epoch, "OffsetForLeaderEpoch", 2, 4, 4, 2},
    {Api::describe_configs, "DescribeConfigs", 1, 4, 4, 1},
    {Api::alter_configs, "AlterConfigs", 0, 2, 2, 0},
    {Api::create_partitions, "CreatePartitions", 0, 3, 2, 0},
    {Api::delete_groups, "DeleteGroups", 0, 2, 2, 0},
    {Api::incremental_alter_configs, "IncrementalAlterConfigs", 0, 1, 1, 0},
    {Api::offset_delete, "OffsetDelete", 0, 0, kNeverFlexible, 0},
    {Api::describe_cluster, "DescribeCluster", 0, 1, 0, 0},
};

}  // namespace

std::span<const ApiSpec> all_apis() { return kApis; }

const ApiSpec* find_api(int16_t key) {
  const auto found = std::ranges::lower_bound(kApis, static_cast<Api>(key), {}, &ApiSpec::api);
  return found != std::end(kApis) && static_cast<int16_t>(found->api) == key ? found : nullptr;
}

const ApiSpec& spec_of(Api api) {
  const ApiSpec* spec = find_api(static_cast<int16_t>(api));
  if (spec == nullptr) std::abort();  // an Api that was left out of the list above
  return *spec;
}

}  // namespace pinflow::kafka
