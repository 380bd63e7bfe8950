// What the handlers of requests work with. Owned by the broker; everything in it is thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/broker/broker.h"
#include "kafka/broker/byte_budget.h"
#include "kafka/broker/group_coordinator.h"
#include "kafka/broker/offset_store.h"
#include "kafka/broker/topic_catalog.h"
#include "log/log.h"

namespace pinflow::kafka {

inline constexpr int32_t kNodeId = 1;
inline constexpr int32_t kLeaderEpoch = 0;  // of every partition, for ever: nobody else can lead it

struct Services {
  const BrokerOptions& options;
  log::Log& log;
  TopicCatalog& topics;
  OffsetStore& offsets;
  GroupCoordinator& groups;
  std::shared_ptr<ByteBudget> fetch_budget;
  const std::atomic<bool>& stopping;
  uint16_t port = 0;  // listened on
};

// Who asks.
struct Peer {
  std::string host;            // the client's address
  std::string local_host;      // the address that it came to
  std::function<bool()> gone;  // the client has hung up
};

// One request's particulars beside its body.
struct Call {
  int16_t version = 0;
  std::string client_id;
  const Peer& peer;
};

struct Endpoint {
  std::string host;
  int32_t port = 0;
};
// Where clients are told to find this broker.
Endpoint advertised(const Services& services, const Peer& peer);

}  // namespace pinflow::kafka
