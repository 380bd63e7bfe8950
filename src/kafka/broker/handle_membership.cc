#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"

namespace pinflow::kafka {
namespace {

constexpr int16_t kFirstIdRequired = 4;  // of JoinGroup: KIP-394
constexpr int16_t kFirstNullProtocol = 7;
constexpr int16_t kFirstSkip = 9;
constexpr int16_t kFirstManyLeavers = 3;  // of LeaveGroup

}  // namespace

void handle(Services& services, const Call& call, JoinGroupRequest request, Answer answer) {
  JoinAsk ask;
  ask.member_id = std::move(request.member_id);
  ask.instance_id = std::move(request.group_instance_id);
  ask.client_id = call.client_id;
  ask.client_host = "/" + call.peer.host;  // as Kafka writes it
  ask.protocol_type = std::move(request.protocol_type);
  for (auto& protocol : request.protocols) {
    ask.protocols.push_back({std::move(protocol.name), std::move(protocol.metadata.data)});
  }
  ask.session_timeout_ms = request.session_timeout_ms;
  ask.rebalance_timeout_ms =
      request.rebalance_timeout_ms < 0 ? request.session_timeout_ms : request.rebalance_timeout_ms;
  ask.id_required = call.version >= kFirstIdRequired;
  ask.may_skip_assignment = call.version >= kFirstSkip;
  services.groups.join(request.group_id, std::move(ask), [answer, version = call.version](JoinAnswer joined) {
    JoinGroupResponse response;
    response.error_code = wire(joined.error);
    response.generation_id = joined.generation;
    const bool null_allowed = version >= kFirstNullProtocol;
    if (joined.error == KafkaError::none) response.protocol_type = std::move(joined.protocol_type);
    if (joined.error == KafkaError::none || !null_allowed) response.protocol_name = std::move(joined.protocol);
    response.leader = std::move(joined.leader);
    response.member_id = std::move(joined.member_id);
    response.skip_assignment = joined.skip_assignment;
    for (auto& member : joined.members) {
      response.members.push_back({std::move(member.id), std::move(member.instance_id), {std::move(member.metadata)}});
    }
    answer.send(response);
  });
}

void handle(Services& services, const Call&, SyncGroupRequest request, Answer answer) {
  SyncAsk ask;
  ask.member_id = std::move(request.member_id);
  ask.instance_id = std::move(request.group_instance_id);
  ask.generation = request.generation_id;
  ask.protocol_type = std::move(request.protocol_type);
  ask.protocol = std::move(request.protocol_name);
  for (auto& given : request.assignments) ask.assignments[given.member_id] = std::move(given.assignment.data);
  services.groups.sync(request.group_id, std::move(ask), [answer](SyncAnswer synced) {
    SyncGroupResponse response;
    response.error_code = wire(synced.error);
    if (synced.error == KafkaError::none) {
      response.protocol_type = std::move(synced.protocol_type);
      response.protocol_name = std::move(synced.protocol);
    }
    response.assignment.data = std::move(synced.assignment);
    answer.send(response);
  });
}

HeartbeatResponse handle(Services& services, const Call&, HeartbeatRequest request) {
  HeartbeatResponse response;
  response.error_code = wire(
      services.groups.heartbeat(request.group_id, request.member_id, request.group_instance_id, request.generation_id));
  return response;
}

LeaveGroupResponse handle(Services& services, const Call& call, LeaveGroupRequest request) {
  LeaveGroupResponse response;
  if (call.version < kFirstManyLeavers) {
    response.error_code = wire(services.groups.leave(request.group_id, request.member_id, std::nullopt));
    return response;
  }
  for (auto& leaver : request.members) {
    const KafkaError left = services.groups.leave(request.group_id, leaver.member_id, leaver.group_instance_id);
    response.members.push_back({std::move(leaver.member_id), std::move(leaver.group_instance_id), wire(left)});
  }
  return response;
}

}  // namespace pinflow::kafka
