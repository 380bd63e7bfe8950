// Whether a cluster can be reached and used as the configuration says, and if not, what is wrong and what to do.
// Blocks; changes nothing on the cluster.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "kafka/client/config.h"

namespace pinflow::kafka {

inline constexpr int kAccessTimeoutMs = 10'000;

// Asks the first broker that answers, over a connection of its own, with TLS and login. Where none does: the error of
// the configuration or the login (invalid, denied), else of the connection (unavailable). A TLS port spoken to without
// it, the reverse, and a listener with or without SASL are told apart.
Result<> check_access(const ClientConfig& config, int timeout_ms = kAccessTimeoutMs);

// Whom the cluster will take us for, in Kafka's words: "User:ann", "User:CN=ann,O=x", "User:ANONYMOUS". A token's where
// it says so.
Result<std::string> principal_of(const ClientConfig& config);

// What a topic lets us do. (KIP-430; clusters that check nobody allow everything.)
struct TopicAccess {
  bool exists = false;
  bool denied = false;           // we may not even know whether it exists
  std::optional<bool> may_read;  // absent: the cluster does not tell
  std::optional<bool> may_write;
};
struct ClusterAccess {
  std::string cluster_id;
  size_t brokers = 0;
  std::optional<bool> may_create_topics;
  std::map<std::string, TopicAccess> topics;
};
// Of each of these topics. Errors as of check_access.
Result<ClusterAccess> read_access(const ClientConfig& config, const std::vector<std::string>& topics,
                                  int timeout_ms = kAccessTimeoutMs);

// Whether we may be a member of the group and keep offsets there (Read on it). Asked by a heartbeat of nobody, which
// every broker checks first and then refuses. Errors as of check_access.
Result<bool> may_read_group(const ClientConfig& config, const std::string& group, int timeout_ms = kAccessTimeoutMs);

}  // namespace pinflow::kafka
