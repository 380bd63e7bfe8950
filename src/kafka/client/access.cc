#include "kafka/client/access.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "kafka/client/ask_metadata.h"
#include "kafka/client/broker_connection.h"
#include "kafka/client/rd.h"
#include "kafka/codec/api_versions.h"
#include "kafka/codec/membership.h"

namespace pinflow::kafka {
namespace {

constexpr int kProbeTimeoutMs = 3'000;
constexpr int16_t kNewestWithClusterOperations = 10, kFirstWithOperations = 8;
// Of org.apache.kafka.common.acl.AclOperation.
constexpr int kRead = 3, kWrite = 4, kCreate = 5;

ClientConfig with_protocol(const ClientConfig& config, std::string_view protocol) {
  ClientConfig other{config.bootstrap_servers, {{"security.protocol", std::string(protocol)}}};
  other.properties.emplace_back("enable.ssl.certificate.verification", "false");
  return other;
}

bool answers(BrokerConnection& broker) { return broker.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 0).has_value(); }

// Whether the port speaks so when nobody is looked at closely.
bool speaks(const ClientConfig& config, std::string_view protocol, const std::string& address) {
  auto broker = BrokerConnection::open(with_protocol(config, protocol), address, kProbeTimeoutMs);
  // A server that refuses us for lack of a certificate does speak TLS.
  if (!broker) return protocol == "ssl" && broker.error().code == Code::denied;
  return answers(*broker);
}

// What a failed connection's cause may be, found by trying the other protocols.
Error explained(const ClientConfig& config, const std::string& address, const Error& error) {
  if (error.code == Code::denied) return error;
  const std::string now = config.uses_tls() ? (config.uses_sasl() ? "SASL_SSL" : "SSL")
                                            : (config.uses_sasl() ? "SASL_PLAINTEXT" : "PLAINTEXT");
  if (config.uses_tls() && speaks(config, "plaintext", address)) {
    return {Code::invalid,
            fmt::format("{}: this port speaks Kafka without TLS, and security.protocol is {}: set it to {}, or "
                        "name the TLS listener's port",
                        address, now, config.uses_sasl() ? "SASL_PLAINTEXT" : "PLAINTEXT")};
  }
  if (!config.uses_tls() && speaks(config, "ssl", address)) {
    return {Code::invalid, fmt::format("{}: this port speaks TLS, and security.protocol is {}: set it to {}{}", address,
                                       now, config.uses_sasl() ? "SASL_SSL" : "SSL (or SASL_SSL, to log in)",
                                       now == "PLAINTEXT" ? " in a file for --command-config" : "")};
  }
  return error;
}

// A listener that wants SASL lets ApiVersions pass and then closes the connection.
Error explained_close(const ClientConfig& config, const std::string& address, const Error& error) {
  if (config.uses_sasl() || error.code != Code::unavailable) return error;
  auto broker = BrokerConnection::open(config, address, kProbeTimeoutMs);
  if (!broker) return error;
  auto mechanisms = broker->sasl_mechanisms();
  if (!mechanisms || mechanisms->empty()) return error;
  return {Code::denied,
          fmt::format("{}: this listener asks to log in (by {}), and security.protocol is {}: set it to {}, with "
                      "sasl.mechanism and sasl.jaas.config",
                      address, fmt::join(*mechanisms, ", "), config.uses_tls() ? "SSL" : "PLAINTEXT",
                      config.uses_tls() ? "SASL_SSL" : "SASL_PLAINTEXT")};
}

Result<ToldMetadata> ask(const ClientConfig& config, const std::string& address, const std::vector<std::string>& topics,
                         int timeout_ms) {
  auto broker = BrokerConnection::open(config, address, timeout_ms);
  if (!broker) return std::unexpected(explained(config, address, broker.error()));
  auto metadata = ask_metadata(*broker, topics, kNewestWithClusterOperations, true);
  if (!metadata) {
    return std::unexpected(explained_close(config, address, explained(config, address, metadata.error())));
  }
  return metadata;
}

// From the first broker that answers; an error of the configuration or the login tells more than a connection's.
Result<ToldMetadata> ask_any(const ClientConfig& config, const std::vector<std::string>& topics, int timeout_ms) {
  Result<ToldMetadata> worst = unavailable("no broker is named");
  for (const std::string& address : addresses_of(config.bootstrap_servers)) {
    auto asked = ask(config, address, topics, timeout_ms);
    if (asked) return asked;
    if (worst.error().code == Code::unavailable) worst = std::move(asked);
  }
  return worst;
}

std::optional<bool> allows(int32_t operations, int operation) {
  if (operations == INT32_MIN) return std::nullopt;
  return (operations >> operation & 1) != 0;
}

}  // namespace

Result<> check_access(const ClientConfig& config, int timeout_ms) {
  auto asked = ask_any(config, {}, timeout_ms);
  if (!asked) return pass(asked.error(), "Kafka");
  return {};
}

Result<std::string> principal_of(const ClientConfig& config) {
  if (config.uses_sasl()) {
    if (!config.tokens) return "User:" + config.get("sasl.username");
    auto token = config.tokens->get();
    if (!token) return pass(token.error());
    return "User:" + token->principal;
  }
  if (!config.uses_tls()) return std::string("User:ANONYMOUS");
  auto context = TlsContext::create(config);
  if (!context) return pass(context.error());
  const std::string subject = (*context)->own_subject();
  return "User:" + (subject.empty() ? "ANONYMOUS" : subject);
}

Result<bool> may_read_group(const ClientConfig& config, const std::string& group, int timeout_ms) {
  constexpr int16_t kHeartbeatVersion = 1;
  HeartbeatRequest nobody;
  nobody.group_id = group;
  nobody.generation_id = -1;
  Result<HeartbeatResponse> answer = unavailable("no broker is named");
  for (const std::string& address : addresses_of(config.bootstrap_servers)) {
    auto broker = BrokerConnection::open(config, address, timeout_ms);
    answer = broker ? broker->ask<HeartbeatResponse>(nobody, kHeartbeatVersion) : pass(broker.error());
    if (answer) return answer->error_code != static_cast<int16_t>(KafkaError::group_authorization_failed);
  }
  return pass(answer.error(), "Kafka");
}

Result<ClusterAccess> read_access(const ClientConfig& config, const std::vector<std::string>& topics, int timeout_ms) {
  auto asked = ask_any(config, topics, timeout_ms);
  if (!asked) return pass(asked.error(), "Kafka");
  const MetadataResponse& metadata = asked->answer;
  const bool tells = asked->version >= kFirstWithOperations;
  ClusterAccess access;
  access.cluster_id = metadata.cluster_id.value_or("");
  access.brokers = metadata.brokers.size();
  if (tells) access.may_create_topics = allows(metadata.cluster_authorized_operations, kCreate);
  for (const std::string& name : topics) {
    TopicAccess& topic = access.topics[name];
    const auto found = std::ranges::find(metadata.topics, name, &MetadataResponse::Topic::name);
    if (found == metadata.topics.end()) continue;
    topic.denied = found->error_code == static_cast<int16_t>(KafkaError::topic_authorization_failed);
    topic.exists =
        found->error_code == 0 || found->error_code == static_cast<int16_t>(KafkaError::leader_not_available);
    if (!topic.exists || !tells) continue;
    topic.may_read = allows(found->authorized_operations, kRead);
    topic.may_write = allows(found->authorized_operations, kWrite);
  }
  return access;
}

}  // namespace pinflow::kafka
