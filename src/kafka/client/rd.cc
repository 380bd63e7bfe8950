#include "kafka/client/rd.h"

#include <librdkafka/rdkafka.h>
#include <syslog.h>

#include <array>
#include <vector>

#include "base/clock.h"
#include "base/logging.h"

namespace pinflow::kafka {
namespace {

// On librdkafka's threads.
void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) noexcept {
  if (level <= LOG_CRIT) warn("kafka client: {}: {}", facility, text);
  else debug("kafka client: {}: {}", facility, text);
}

constexpr int64_t kAskAgainUntilMs = 5'000;  // before a token's end; from then on its loss is an error

Result<> set_token(rd_kafka_t* rk, const Token& token) {
  std::vector<const char*> extensions;
  for (const auto& [name, value] : token.extensions) extensions.insert(extensions.end(), {name.c_str(), value.c_str()});
  std::array<char, 512> reason;
  const std::string& principal = token.principal.empty() ? "pinflow" : token.principal;
  if (rd_kafka_oauthbearer_set_token(rk, token.value.c_str(), token.expires_ms, principal.c_str(), extensions.data(),
                                     extensions.size(), reason.data(), reason.size()) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return fail(Code::denied, "Kafka client: the bearer token is not taken: {}", reason.data());
}

// On librdkafka's background thread. Where no new token is to be had, the old one serves as long as it is good.
void on_token_refresh(rd_kafka_t* rk, const char*, void* opaque_pointer) noexcept {
  auto& opaque = *static_cast<Opaque*>(opaque_pointer);
  auto fresh = opaque.tokens->get();
  const std::lock_guard lock(opaque.mutex);
  if (fresh) opaque.token = *fresh;
  if (!fresh && opaque.token.expires_ms > now_ms() + kAskAgainUntilMs) {
    warn("Kafka client: no new token ({}); the one in use is good for {} s yet", fresh.error().message,
         (opaque.token.expires_ms - now_ms()) / 1000);
    fresh = opaque.token;
  }
  Result<> set = fresh ? set_token(rk, *fresh) : pass(fresh.error());
  if (!set) rd_kafka_oauthbearer_set_token_failure(rk, set.error().message.c_str());
  else debug("Kafka client: a token that is good until {}", iso_time(fresh->expires_ms));
}

Tunnels& tunnels_of(void* opaque) { return *static_cast<Opaque*>(opaque)->tunnels; }

void lead_through_tunnels(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_socket_cb(conf,
                              [](int, int, int, void* opaque) noexcept { return tunnels_of(opaque).make_socket(); });
  rd_kafka_conf_set_resolve_cb(
      conf, [](const char* node, const char* service, const addrinfo*, addrinfo** found, void* opaque) noexcept {
        if (node || service) return tunnels_of(opaque).resolve(node ? node : "", service ? service : "", found);
        Tunnels::free_resolved(*found);
        return 0;
      });
  rd_kafka_conf_set_connect_cb(conf, [](int socket, const sockaddr* address, int, const char*, void* opaque) noexcept {
    return tunnels_of(opaque).connect(socket, address);
  });
}

}  // namespace

void ConfDelete::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }
void HandleDelete::operator()(rd_kafka_s* handle) const { rd_kafka_destroy(handle); }
void MetadataDelete::operator()(const struct rd_kafka_metadata* metadata) const { rd_kafka_metadata_destroy(metadata); }

void FaultLog::passing(int error, std::string_view text) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (error == last_ && now - said_ < std::chrono::minutes(1)) return;
  last_ = error;
  said_ = now;
  warn("{}: {} (will be tried again)", who_, text);
}

Result<Conf> make_conf(const ClientConfig& config,
                       std::initializer_list<std::pair<std::string_view, std::string>> settings, void* user) {
  auto opaque = std::make_shared<Opaque>();
  opaque->tokens = config.tokens;
  opaque->user = user;
  Conf conf(rd_kafka_conf_new(), {opaque});
  std::array<char, 512> reason;
  auto set = [&](std::string_view key, const std::string& value) -> Result<> {
    const std::string name(key);
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK) {
      return {};
    }
    // The reason may repeat the value, which may be a secret.
    if (name.find("password") != std::string::npos || name.find("pem") != std::string::npos) {
      return invalid("Kafka client: the value of {} is not accepted", name);
    }
    return invalid("Kafka client: {}", reason.data());
  };
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_opaque(conf.get(), opaque.get());
  if (config.tokens) {
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf.get(), on_token_refresh);
    rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  }
  if (auto done = set("bootstrap.servers", config.bootstrap_servers); !done) return pass(done.error());
  if (auto done = set("log.connection.close", "false"); !done) return pass(done.error());
  for (const auto& [key, value] : settings) {
    if (auto done = set(key, value); !done) return pass(done.error());
  }
  if (Tunnels::needed(config)) {
    opaque->tunnels = std::make_unique<Tunnels>(config);
    lead_through_tunnels(conf.get());
  }
  for (const auto& [key, value] : config.properties) {
    const bool ours = opaque->tunnels && (key == "security.protocol" || key.starts_with("sasl.") ||
                                          key.starts_with("ssl.") || key == "enable.ssl.certificate.verification");
    if (ours) continue;
    if (auto done = set(key, value); !done) return pass(done.error());
  }
  return conf;
}

Result<Handle> make_handle(Role role, Conf conf) {
  const auto opaque = conf.get_deleter().opaque;
  if (opaque->tokens) {
    auto first = opaque->tokens->get();
    if (!first) return pass(first.error());
    opaque->token = std::move(*first);
  }
  std::array<char, 512> reason;
  const auto type = role == Role::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  Handle handle(rd_kafka_new(type, conf.get(), reason.data(), reason.size()), {opaque});
  if (!handle) return invalid("Kafka client: {}", reason.data());
  (void)conf.release();  // the handle owns it now
  if (opaque->tokens) {
    const std::lock_guard lock(opaque->mutex);
    if (auto set = set_token(handle.get(), opaque->token); !set) return pass(set.error());
    if (rd_kafka_error_t* error = rd_kafka_sasl_background_callbacks_enable(handle.get())) {
      const std::string text = rd_kafka_error_string(error);
      rd_kafka_error_destroy(error);
      return invalid("Kafka client: {}", text);
    }
  }
  return handle;
}

std::string text_of(int error) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  std::string text = rd_kafka_err2str(code);
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
      code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
    text += " (an ACL of the cluster, or MSK's IAM policy, must allow it; `pinflow doctor` says what is missing)";
  }
  return text;
}

KafkaError kafka_error(int error) {
  if (error >= 0) return static_cast<KafkaError>(error);  // the protocol's own numbers
  switch (static_cast<rd_kafka_resp_err_t>(error)) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return KafkaError::throttling_quota_exceeded;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE: return KafkaError::request_timed_out;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__FATAL:  // the writer goes on with a new producer
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return KafkaError::network_exception;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return KafkaError::unknown_topic_or_partition;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION: return KafkaError::sasl_authentication_failed;
    case RD_KAFKA_RESP_ERR__INVALID_ARG: return KafkaError::invalid_request;
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE: return KafkaError::unsupported_version;
    default: return KafkaError::unknown_server_error;
  }
}

Code code_of(int error) {
  switch (static_cast<rd_kafka_resp_err_t>(error)) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND: return Code::not_found;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return Code::already_exists;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return Code::conflict;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL: return Code::denied;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__INVALID_ARG: return Code::invalid;
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED: return Code::unsupported;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED: return Code::full;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG: return Code::corrupt;
    default: return Code::unavailable;
  }
}

std::unexpected<Error> rd_error(int error, std::string_view what) {
  return fail(code_of(error), "{}: {}", what, text_of(error));
}

std::unexpected<Error> rd_error(int error, std::string_view what, std::string_view detail) {
  return fail(code_of(error), "{}: {}", what, detail.empty() ? text_of(error) : std::string(detail));
}

Metadata all_metadata(rd_kafka_s* handle, int timeout_ms, int& error) {
  const struct rd_kafka_metadata* metadata = nullptr;
  error = rd_kafka_metadata(handle, 1, nullptr, &metadata, timeout_ms);
  return Metadata(error == RD_KAFKA_RESP_ERR_NO_ERROR ? metadata : nullptr);
}

}  // namespace pinflow::kafka
