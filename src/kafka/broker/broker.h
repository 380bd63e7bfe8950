// A broker: serves a log over the Kafka protocol on TCP, with consumer groups, to any client of Kafka 0.11 to 4.x.
// One node (id 1), no replication, no transactions, no authentication: listen on the loopback only.
//
// An answer to Produce is sent when the records are durable, whatever the acks; answers of a connection keep the order
// of its requests, while reading goes on. Threads: an acceptor, two for each connection, one for the groups' clocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "log/log.h"

namespace pinflow::kafka {

struct BrokerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;             // 0: any free one
  std::string advertised_host;   // what clients are told; empty: `host`, or where that is a wildcard the address
  uint16_t advertised_port = 0;  //   that the client came to. 0: the port listened on

  int32_t default_partitions = 1;
  bool auto_create_topics = true;       // when a client's Metadata asks for a topic that is not there
  int64_t max_message_bytes = 1048588;  // of a record batch; a topic's max.message.bytes overrides it
  int32_t max_partitions = 1000;        // of one topic

  int max_connections = 1024;                     // further ones are closed at once, with a line in the log
  int64_t max_request_bytes = 100 << 20;          // a longer request closes its connection
  int64_t request_bytes_in_flight = 48 << 20;     // all connections: above it reading waits (one request always goes)
  int64_t connection_bytes_in_flight = 32 << 20;  // requests and answers of one connection: above it reading waits
  int connection_requests_in_flight = 1000;
  int64_t max_fetch_bytes = 55 << 20;         // of one answer; its first batch goes whatever its size
  int64_t fetch_bytes_in_flight = 256 << 20;  // all connections: near it answers get smaller
  std::chrono::milliseconds idle_timeout = std::chrono::minutes(10);
  std::chrono::milliseconds request_timeout =
      std::chrono::seconds(30);  // for a request to arrive whole, or an answer to leave

  std::chrono::milliseconds min_session_timeout = std::chrono::seconds(6);
  std::chrono::milliseconds max_session_timeout = std::chrono::minutes(30);
  std::chrono::milliseconds initial_rebalance_delay{100};  // how long a new group waits for further members
  int max_groups = 10'000;                                 // with members
  int max_group_members = 1000;
};

class Broker {
 public:
  // Listens when it returns. `log` must outlive the broker; `state_dir` is made where it is missing, and holds the
  // groups' committed offsets. unavailable: the port is taken; invalid: the host; corrupt: the offsets.
  static Result<std::unique_ptr<Broker>> start(BrokerOptions options, log::Log& log, std::filesystem::path state_dir);
  ~Broker();  // stops

  uint16_t port() const;

  // Takes no further request, waits for the answers under way (at most five seconds for clients that do not read),
  // closes every connection. Within a second when idle. May be called again.
  void stop();

 private:
  struct Parts;
  explicit Broker(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pinflow::kafka
