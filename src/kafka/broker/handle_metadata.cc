#include <algorithm>

#include "base/logging.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"

namespace pinflow::kafka {
namespace {

// Bits of what a client may do (org.apache.kafka.common.acl.AclOperation): here, everything that the kind allows.
constexpr int32_t kTopicOperations = 0b1101'1111'1000;
constexpr int32_t kClusterOperations = 0b1'1111'1010'0000;

using Topic = MetadataResponse::Topic;

Topic described(const log::TopicDescription& description, bool with_operations) {
  Topic topic;
  topic.name = description.name;
  topic.topic_id = Uuid::from(description.topic_id);
  if (with_operations) topic.authorized_operations = kTopicOperations;
  for (int32_t partition = 0; partition < description.partitions; ++partition) {
    topic.partitions.push_back({.partition = partition,
                                .leader_id = kNodeId,
                                .leader_epoch = kLeaderEpoch,
                                .replicas = {kNodeId},
                                .in_sync = {kNodeId},
                                .offline = {}});
  }
  return topic;
}

Topic missing(KafkaError error, std::optional<std::string> name, const Uuid& id) {
  Topic topic;
  topic.error_code = wire(error);
  topic.name = std::move(name);
  topic.topic_id = id;
  return topic;
}

Topic by_name(Services& services, const std::string& name, bool may_create, bool with_operations) {
  auto description = services.log.find_topic(name);
  if (!description && may_create) {
    if (const auto made = services.topics.find_or_create(name); !made) return missing(made.error().error, name, {});
    description = services.log.find_topic(name);
  }
  return description ? described(*description, with_operations)
                     : missing(KafkaError::unknown_topic_or_partition, name, {});
}

}  // namespace

Endpoint advertised(const Services& services, const Peer& peer) {
  const BrokerOptions& options = services.options;
  const int32_t port = options.advertised_port != 0 ? options.advertised_port : services.port;
  if (!options.advertised_host.empty()) return {options.advertised_host, port};
  const bool wildcard = options.host == "0.0.0.0" || options.host == "::";
  return {wildcard ? peer.local_host : options.host, port};
}

ApiVersionsResponse handle(Services&, const Call&, ApiVersionsRequest) {
  ApiVersionsResponse response;
  for (const ApiSpec& api : all_apis()) {
    response.apis.push_back({static_cast<int16_t>(api.api), api.advertised_min, api.max});
  }
  return response;
}

MetadataResponse handle(Services& services, const Call& call, MetadataRequest request) {
  MetadataResponse response;
  const Endpoint here = advertised(services, call.peer);
  response.brokers.push_back({kNodeId, here.host, here.port, std::nullopt});
  response.cluster_id = services.log.cluster_id();
  response.controller_id = kNodeId;
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  const bool operations = request.include_topic_authorized_operations;
  if (!request.topics || (call.version == 0 && request.topics->empty())) {
    for (const auto& description : services.log.topics()) response.topics.push_back(described(description, operations));
    return response;
  }
  for (const auto& asked : *request.topics) {
    if (asked.name) {
      response.topics.push_back(by_name(services, *asked.name, request.allow_auto_topic_creation, operations));
      continue;
    }
    const auto found = services.log.find_topic(services.topics.name_of(asked.topic_id));
    // Before version 12 a name cannot be null.
    const auto no_name = call.version >= 12 ? std::nullopt : std::optional<std::string>("");
    response.topics.push_back(found ? described(*found, operations)
                                    : missing(KafkaError::unknown_topic_id, no_name, asked.topic_id));
  }
  return response;
}

DescribeClusterResponse handle(Services& services, const Call& call, DescribeClusterRequest request) {
  DescribeClusterResponse response;
  constexpr int8_t kBrokers = 1;
  response.endpoint_type = request.endpoint_type;
  if (request.endpoint_type != kBrokers) {
    response.error_code = wire(KafkaError::invalid_request);
    response.error_message = "only brokers can be described here";
    return response;
  }
  const Endpoint here = advertised(services, call.peer);
  response.cluster_id = services.log.cluster_id();
  response.controller_id = kNodeId;
  response.brokers.push_back({kNodeId, here.host, here.port, std::nullopt});
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  return response;
}

FindCoordinatorResponse handle(Services& services, const Call& call, FindCoordinatorRequest request) {
  constexpr int8_t kGroup = 0;
  constexpr int16_t kFirstBatchVersion = 4;
  FindCoordinatorResponse response;
  if (call.version < kFirstBatchVersion) request.keys = {request.key};
  const Endpoint here = advertised(services, call.peer);
  for (const auto& key : request.keys) {
    auto& found = response.coordinators.emplace_back();
    found.key = key;
    if (request.key_type == kGroup) {
      found.node_id = kNodeId;
      found.host = here.host;
      found.port = here.port;
    } else {
      warn("broker: {} asks for the transactional id {}: transactions are not supported", call.client_id, key);
      found.error_code = wire(KafkaError::invalid_request);
      found.error_message = "transactions are not supported by this broker";
    }
  }
  if (call.version < kFirstBatchVersion) {
    const auto& found = response.coordinators.front();
    response.error_code = found.error_code;
    response.error_message = found.error_message;
    response.node_id = found.node_id;
    response.host = found.host;
    response.port = found.port;
  }
  return response;
}

}  // namespace pinflow::kafka
