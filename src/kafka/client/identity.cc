#include "kafka/client/identity.h"

#include <algorithm>

#include "base/base64url.h"
#include "kafka/client/ask_metadata.h"
#include "kafka/client/rd.h"

namespace pinflow::kafka {
namespace {

using Identities = std::map<std::string, TopicIdentity>;

constexpr int16_t kFirstWithTopicIds = 10;
constexpr int16_t kNewestMetadata = 12;

Result<Identities> ask(const ClientConfig& config, const std::string& address, const std::vector<std::string>& topics,
                       int timeout_ms) {
  auto broker = BrokerConnection::open(config, address, timeout_ms);
  if (!broker) return pass(broker.error());
  const auto metadata = ask_metadata(*broker, topics, kNewestMetadata, false);
  if (!metadata) return pass(metadata.error(), "{}", address);
  const MetadataResponse& answer = metadata->answer;
  Identities out;
  for (const std::string& name : topics) {
    const auto topic = std::ranges::find(answer.topics, name, &MetadataResponse::Topic::name);
    const int error =
        topic == answer.topics.end() ? static_cast<int>(KafkaError::unknown_topic_or_partition) : topic->error_code;
    // A topic without a leader still says who it is.
    if (error != 0 && error != static_cast<int>(KafkaError::leader_not_available)) {
      return rd_error(error, fmt::format("asking {} for topic {}", address, name));
    }
    TopicIdentity& identity = out[name];
    identity.cluster_id = answer.cluster_id.value_or("");
    if (metadata->version >= kFirstWithTopicIds && !topic->topic_id.none()) identity.topic_id = topic->topic_id.view();
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
