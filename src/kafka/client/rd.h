// What the files of this room share about librdkafka: making handles, errors as ours, its log lines as ours.
// Types are forward-declared, so that rdkafka.h stays in the .cc files; an `int` error is a rd_kafka_resp_err_t.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "kafka/client/config.h"
#include "kafka/client/topic_writer.h"
#include "kafka/client/tunnel.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct rd_kafka_metadata;

namespace pinflow::kafka {

// What librdkafka's opaque pointer leads to in every client of ours; lives as long as the client.
struct Opaque {
  std::shared_ptr<TokenSource> tokens;  // empty: no bearer tokens are used
  void* user = nullptr;                 // whose callbacks these are

  std::unique_ptr<Tunnels> tunnels;  // where librdkafka cannot log in by itself

  std::mutex mutex;  // guards the token that is in use
  Token token;
};
// The `user` that make_conf was given, within a callback.
template <class T>
T& user_of(void* opaque) {
  return *static_cast<T*>(static_cast<Opaque*>(opaque)->user);
}

struct ConfDelete {
  void operator()(rd_kafka_conf_s* conf) const;
  std::shared_ptr<Opaque> opaque;
};
using Conf = std::unique_ptr<rd_kafka_conf_s, ConfDelete>;

struct HandleDelete {
  void operator()(rd_kafka_s* handle) const;  // waits for librdkafka's threads
  std::shared_ptr<Opaque> opaque;
};
using Handle = std::unique_ptr<rd_kafka_s, HandleDelete>;

// Says a passing fault once, and again only when another one came between or a minute has passed. Thread-safe.
class FaultLog {
 public:
  explicit FaultLog(std::string who) : who_(std::move(who)) {}
  void passing(int error, std::string_view text);

 private:
  const std::string who_;
  std::mutex mutex_;
  int last_ = 0;
  std::chrono::steady_clock::time_point said_{};
};

// The configuration of a client: `settings` are ours, the user's properties come after them. Log lines of librdkafka
// go to debug, but for its worst. `user` is for callbacks.
Result<Conf> make_conf(const ClientConfig& config,
                       std::initializer_list<std::pair<std::string_view, std::string>> settings, void* user = nullptr);

enum class Role { producer, consumer };
// Takes the configuration. Where tokens are used the first is asked for here, and whoever gives none is told of; new
// ones are asked for on a thread of librdkafka's, at four fifths of the life of the last.
Result<Handle> make_handle(Role role, Conf conf);

// "Broker: Unknown topic or partition".
std::string text_of(int error);
// The protocol's code: librdkafka's own (negative) ones become the nearest.
KafkaError kafka_error(int error);
// What the caller can do about it.
Code code_of(int error);
std::unexpected<Error> rd_error(int error, std::string_view what);
std::unexpected<Error> rd_error(int error, std::string_view what, std::string_view detail);

// The cluster's topics; freed with the pointer.
struct MetadataDelete {
  void operator()(const struct rd_kafka_metadata* metadata) const;
};
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, MetadataDelete>;
// Asks a broker, at most `timeout_ms`. Never creates a topic. `error` is 0 where it succeeds.
Metadata all_metadata(rd_kafka_s* handle, int timeout_ms, int& error);

inline constexpr int kAnswerTimeoutMs = 10'000;  // how long a question to the cluster may take

}  // namespace pinflow::kafka
