// Who a cluster's topics are: ids that change when a topic is made anew under an old name. librdkafka 2.0 does not ask
// for them, so this speaks the protocol itself, on a connection of its own. Blocks; no state.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kafka/client/config.h"

namespace pinflow::kafka {

struct TopicIdentity {
  std::string cluster_id;  // empty: the cluster does not tell
  std::string topic_id;    // 16 bytes; empty: not to be had (see below)
  bool operator==(const TopicIdentity&) const = default;
};

// Of each of these topics; not_found names the first one that is not there. Without topic_id: a broker before 2.8
// (Metadata before version 10). Never creates a topic.
Result<std::map<std::string, TopicIdentity>> read_identities(const ClientConfig& config,
                                                             const std::vector<std::string>& topics,
                                                             int timeout_ms = 10'000);

// The id as Kafka's tools print it, base64 for URLs: "UhvCfQkFQ1C2wbJd2c-2Sw".
std::string topic_id_text(std::string_view topic_id);

}  // namespace pinflow::kafka
