#include "kafka/client/tunnel.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/logging.h"
#include "kafka/client/broker_connection.h"

namespace pinflow::kafka {
namespace {

constexpr int kScramMended = 0x02060100;  // librdkafka 2.6.1
constexpr int kTimeoutMs = 10'000;        // for the connection and each step of the login
constexpr uint32_t kNoNet = 0xf0000000;   // 240.0.0.0/4 is nobody's: the addresses that we make up
constexpr size_t kMostNames = 65'536;

struct Resolved {
  addrinfo info;
  sockaddr_in address;
};

}  // namespace

struct Tunnels::Running {
  int near = -1;  // shut down to end the thread early
  std::atomic<bool> done{false};
  std::thread thread;
};

bool Tunnels::needed(const ClientConfig& config) {
  return config.uses_sasl() && config.get("sasl.mechanism").starts_with("SCRAM") && rd_kafka_version() < kScramMended;
}

Tunnels::Tunnels(ClientConfig config) : config_(std::move(config)) {}

Tunnels::~Tunnels() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& one : running_) {
      if (!one->done) ::shutdown(one->near, SHUT_RDWR);
    }
  }
  for (const auto& one : running_) one->thread.join();
}

int Tunnels::make_socket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  const std::lock_guard lock(mutex_);
  std::erase_if(far_ends_, [&](const auto& one) { return one.first == ends[0]; });  // one that never connected
  far_ends_.emplace_back(ends[0], Fd(ends[1]));
  return ends[0];
}

int Tunnels::resolve(const std::string& host, const std::string& port, addrinfo** found) {
  const std::string name = host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
  size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(names_, name);
    index = static_cast<size_t>(known - names_.begin());
    if (index >= kMostNames) return EAI_MEMORY;
    if (known == names_.end()) names_.push_back(name);
  }
  auto* made = new Resolved{};
  made->address.sin_family = AF_INET;
  made->address.sin_port = htons(1);
  made->address.sin_addr.s_addr = htonl(kNoNet + static_cast<uint32_t>(index));
  made->info.ai_family = AF_INET;
  made->info.ai_socktype = SOCK_STREAM;
  made->info.ai_protocol = IPPROTO_TCP;
  made->info.ai_addrlen = sizeof made->address;
  made->info.ai_addr = reinterpret_cast<sockaddr*>(&made->address);
  *found = &made->info;
  return 0;
}

void Tunnels::free_resolved(addrinfo* found) { delete reinterpret_cast<Resolved*>(found); }

int Tunnels::connect(int socket, const sockaddr* address) {
  const auto* made = reinterpret_cast<const sockaddr_in*>(address);
  const size_t index = ntohl(made->sin_addr.s_addr) - kNoNet;
  const std::lock_guard lock(mutex_);
  const auto far = std::ranges::find(far_ends_, socket, [](const auto& one) { return one.first; });
  if (stopping_ || made->sin_family != AF_INET || index >= names_.size() || far == far_ends_.end()) return ENETUNREACH;
  for (auto one = running_.begin(); one != running_.end();) {
    if (!(*one)->done) {
      ++one;
      continue;
    }
    (*one)->thread.join();
    one = running_.erase(one);
  }
  auto running = std::make_unique<Running>();
  running->near = far->second.release();
  far_ends_.erase(far);
  running->thread = std::thread([this, raw = running.get(), name = names_[index]] { run(*raw, name); });
  running_.push_back(std::move(running));
  return 0;
}

void Tunnels::run(Running& running, const std::string& address) {
  auto broker = BrokerConnection::open(config_, address, kTimeoutMs);
  if (broker) broker->relay(running.near);
  else tell(broker.error());
  const std::lock_guard lock(mutex_);
  ::close(running.near);
  running.done = true;
}

void Tunnels::tell(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || error.message == told_) return;
  told_ = error.message;
  warn("Kafka client: {} (will be tried again)", error.message);
}

}  // namespace pinflow::kafka
