#include "kafka/client/identity.h"

#include <algorithm>

#include "base/base64url.h"
#include "kafka/client/broker_connection.h"
#include "kafka/client/rd.h"
#include "kafka/codec/api_versions.h"
#include "kafka/codec/metadata.h"

namespace pinflow::kafka {
namespace {

using Identities = std::map<std::string, TopicIdentity>;

constexpr int16_t kFirstWithTopicIds = 10;
constexpr int16_t kNewestMetadata = 12;

// The newest Metadata version that both sides speak.
Result<int16_t> metadata_version(BrokerConnection& broker) {
  auto versions = broker.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 0);
  if (!versions) return pass(versions.error());
  for (const auto& range : versions->apis) {
    if (range.api_key == static_cast<int16_t>(Api::metadata)) return std::min(range.max_version, kNewestMetadata);
  }
  return unsupported("the broker does not say which versions of Metadata it speaks");
}

Result<Identities> ask(const ClientConfig& config, const std::string& address, const std::vector<std::string>& topics,
                       int timeout_ms) {
  auto broker = BrokerConnection::open(config, address, timeout_ms);
  if (!broker) return pass(broker.error());
  const auto version = metadata_version(*broker);
  if (!version) return pass(version.error(), "{}", address);
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  // Before version 4 asking for a topic by name may create it: then all are asked for.
  if (*version >= 4) {
    request.topics.emplace();
    for (const std::string& topic : topics) request.topics->push_back({{}, topic});
  } else if (*version == 0) {
    request.topics.emplace();
  }
  auto metadata = broker->ask<MetadataResponse>(request, *version);
  if (!metadata) return pass(metadata.error());
  Identities out;
  for (const std::string& name : topics) {
    const auto topic = std::ranges::find(metadata->topics, name, &MetadataResponse::Topic::name);
    const int error =
        topic == metadata->topics.end() ? static_cast<int>(KafkaError::unknown_topic_or_partition) : topic->error_code;
    // A topic without a leader still says who it is.
    if (error != 0 && error != static_cast<int>(KafkaError::leader_not_available)) {
      return rd_error(error, fmt::format("asking {} for topic {}", address, name));
    }
    TopicIdentity& identity = out[name];
    identity.cluster_id = metadata->cluster_id.value_or("");
    if (*version >= kFirstWithTopicIds && !topic->topic_id.none()) identity.topic_id = topic->topic_id.view();
  }
  return out;
}

}  // namespace

Result<std::map<std::string, TopicIdentity>> read_identities(const ClientConfig& config,
                                                             const std::vector<std::string>& topics, int timeout_ms) {
  if (topics.empty()) return Identities{};
  Result<Identities> last = unavailable("no broker is named");
  for (const std::string& address : addresses_of(config.bootstrap_servers)) {
    last = ask(config, address, topics, timeout_ms);
    if (last || last.error().code != Code::unavailable) return last;
  }
  return last;
}

std::string topic_id_text(std::string_view topic_id) { return base64url_encode(topic_id); }

}  // namespace pinflow::kafka
