#include "kafka/broker/broker.h"

#include <atomic>

#include "base/logging.h"
#include "kafka/broker/dispatcher.h"
#include "kafka/broker/server.h"
#include "kafka/broker/services.h"

namespace pinflow::kafka {
namespace {

constexpr std::chrono::seconds kPatience{5};  // of stop(), with clients that do not read

Result<> check(const BrokerOptions& options) {
  if (options.default_partitions < 1 || options.default_partitions > options.max_partitions) {
    return invalid("the broker's default_partitions is {}: it must be between 1 and {}", options.default_partitions,
                   options.max_partitions);
  }
  if (options.max_message_bytes < 1 || options.max_message_bytes > options.max_request_bytes) {
    return invalid("the broker's max_message_bytes is {}: it must be between 1 and {}", options.max_message_bytes,
                   options.max_request_bytes);
  }
  if (options.max_connections < 1)
    return invalid("the broker's max_connections is {}: it must be at least 1", options.max_connections);
  return {};
}

}  // namespace

// In the order in which they depend on each other; they end in the opposite one.
struct Broker::Parts {
  Parts(BrokerOptions given, log::Log& log, std::unique_ptr<OffsetStore> store, Listener listener)
      : options(std::move(given)),
        topics(log, {options.auto_create_topics, options.default_partitions, options.max_message_bytes}),
        offsets(std::move(store)),
        groups(options, *offsets),
        services{options,  log,          topics,
                 *offsets, groups,       std::make_shared<ByteBudget>(options.fetch_bytes_in_flight),
                 stopping, listener.port},
        dispatcher(services),
        server(std::move(listener), options, dispatcher, stopping) {}

  const BrokerOptions options;
  std::atomic<bool> stopping = false;
  TopicCatalog topics;
  std::unique_ptr<OffsetStore> offsets;
  GroupCoordinator groups;
  Services services;
  Dispatcher dispatcher;
  Server server;
};

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Broker::~Broker() { stop(); }

Result<std::unique_ptr<Broker>> Broker::start(BrokerOptions options, log::Log& log, std::filesystem::path state_dir) {
  if (auto good = check(options); !good) return pass(good.error());
  auto offsets = OffsetStore::open(state_dir);
  if (!offsets) return pass(offsets.error());
  auto listener = Listener::open(options.host, options.port);
  if (!listener) return pass(listener.error());
  auto parts = std::make_unique<Parts>(std::move(options), log, std::move(*offsets), std::move(*listener));
  return std::unique_ptr<Broker>(new Broker(std::move(parts)));
}

uint16_t Broker::port() const { return parts_->services.port; }

void Broker::stop() {
  parts_->stopping = true;
  parts_->groups.stop();
  parts_->server.stop(kPatience);
}

}  // namespace pinflow::kafka
