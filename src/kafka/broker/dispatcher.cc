#include "kafka/broker/dispatcher.h"

#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"

namespace pinflow::kafka {
namespace {

template <class M>
Result<> serve(Services& services, const Request& request, const Peer& peer, const Answer& answer) {
  auto message = decode<M>(request.body, request.header.api_version);
  if (!message) return pass(message.error());
  const Call call{request.header.api_version, request.header.client_id.value_or(""), peer};
  if constexpr (requires { handle(services, call, std::move(*message), answer); }) {
    handle(services, call, std::move(*message), answer);
  } else {
    answer.send(handle(services, call, std::move(*message)));
  }
  return {};
}

Result<> serve(Api api, Services& services, const Request& request, const Peer& peer, const Answer& answer) {
  switch (api) {
    case Api::produce: return serve<ProduceRequest>(services, request, peer, answer);
    case Api::fetch: return serve<FetchRequest>(services, request, peer, answer);
    case Api::list_offsets: return serve<ListOffsetsRequest>(services, request, peer, answer);
    case Api::metadata: return serve<MetadataRequest>(services, request, peer, answer);
    case Api::offset_commit: return serve<OffsetCommitRequest>(services, request, peer, answer);
    case Api::offset_fetch: return serve<OffsetFetchRequest>(services, request, peer, answer);
    case Api::find_coordinator: return serve<FindCoordinatorRequest>(services, request, peer, answer);
    case Api::join_group: return serve<JoinGroupRequest>(services, request, peer, answer);
    case Api::heartbeat: return serve<HeartbeatRequest>(services, request, peer, answer);
    case Api::leave_group: return serve<LeaveGroupRequest>(services, request, peer, answer);
    case Api::sync_group: return serve<SyncGroupRequest>(services, request, peer, answer);
    case Api::describe_groups: return serve<DescribeGroupsRequest>(services, request, peer, answer);
    case Api::list_groups: return serve<ListGroupsRequest>(services, request, peer, answer);
    case Api::api_versions: return serve<ApiVersionsRequest>(services, request, peer, answer);
    case Api::create_topics: return serve<CreateTopicsRequest>(services, request, peer, answer);
    case Api::delete_topics: return serve<DeleteTopicsRequest>(services, request, peer, answer);
    case Api::delete_records: return serve<DeleteRecordsRequest>(services, request, peer, answer);
    case Api::init_producer_id: return serve<InitProducerIdRequest>(services, request, peer, answer);
    case Api::offset_for_leader_epoch: return serve<OffsetForLeaderEpochRequest>(services, request, peer, answer);
    case Api::describe_configs: return serve<DescribeConfigsRequest>(services, request, peer, answer);
    case Api::alter_configs: return serve<AlterConfigsRequest>(services, request, peer, answer);
    case Api::create_partitions: return serve<CreatePartitionsRequest>(services, request, peer, answer);
    case Api::delete_groups: return serve<DeleteGroupsRequest>(services, request, peer, answer);
    case Api::incremental_alter_configs: return serve<IncrementalAlterConfigsRequest>(services, request, peer, answer);
    case Api::offset_delete: return serve<OffsetDeleteRequest>(services, request, peer, answer);
    case Api::describe_cluster: return serve<DescribeClusterRequest>(services, request, peer, answer);
  }
  return unsupported("API {} has no handler", static_cast<int>(api));
}

}  // namespace

Result<> Dispatcher::handle(const Request& request, const Peer& peer, Answer answer) const {
  const RequestHeader& header = request.header;
  if (request.api == nullptr) {
    return unsupported("it asked for API {} version {}, which is not served", header.api_key, header.api_version);
  }
  if (request.in_range) return serve(request.api->api, services_, request, peer, answer);
  if (request.api->api == Api::api_versions) {
    // KIP-511: whatever was asked for, a body that every client can read, from which it learns what to ask for.
    const Call call{0, "", peer};
    ApiVersionsResponse response = kafka::handle(services_, call, ApiVersionsRequest{});
    response.error_code = wire(KafkaError::unsupported_version);
    answer.send_in_version(response, 0);
    return {};
  }
  return unsupported("it asked for {} version {}; versions {} to {} are served", request.api->name, header.api_version,
                     request.api->min, request.api->max);
}

}  // namespace pinflow::kafka
