// A way around a fault of librdkafka before 2.6.1: its SCRAM puts the nonce twice into its last message, which brokers
// from Kafka 4.0 on refuse (librdkafka's pull request 4895). There we log in ourselves: librdkafka gets one end of a
// pair of sockets and speaks Kafka's bare protocol over it; at the other end a thread connects to the broker, with TLS
// and SASL, and hands the bytes to and fro. One thread for each connection, as librdkafka itself has.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "kafka/client/config.h"

struct addrinfo;
struct rd_kafka_conf_s;
struct sockaddr;

namespace pinflow::kafka {

class Tunnels {
 public:
  // Whether this librdkafka cannot log in to such a cluster by itself.
  static bool needed(const ClientConfig& config);

  explicit Tunnels(ClientConfig config);
  // Ends every connection and waits for its thread. The client whose connections these are is gone by then.
  ~Tunnels();
  Tunnels(const Tunnels&) = delete;
  Tunnels& operator=(const Tunnels&) = delete;

  // librdkafka's callbacks, on its threads.
  int make_socket();  // -1 and errno
  int resolve(const std::string& host, const std::string& port, addrinfo** found);
  static void free_resolved(addrinfo* found);
  int connect(int socket, const sockaddr* address);  // 0, or an errno

 private:
  struct Running;
  void run(Running& running, const std::string& address);
  void tell(const Error& error);

  const ClientConfig config_;
  std::mutex mutex_;                        // guards what follows
  std::vector<std::string> names_;          // "host:port"; its index stands in the made-up address
  std::list<std::pair<int, Fd>> far_ends_;  // by librdkafka's end, until it connects
  std::list<std::unique_ptr<Running>> running_;
  std::string told_;  // the last fault that was warned of
  bool stopping_ = false;
};

}  // namespace pinflow::kafka
