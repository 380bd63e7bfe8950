// A broker over a real log in a temporary folder, and a client that speaks to it by the codec alone, for this room's
// tests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/files.h"
#include "base/logging.h"
#include "kafka/broker/broker.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/services.h"
#include "kafka/codec/header.h"
#include "kafka/codec/messages.h"
#include "log/batch.h"
#include "log/log.h"

namespace pinflow::kafka {

class TestClient {
 public:
  explicit TestClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) socket_.reset();
    const timeval limit{20, 0};  // a broken broker must not hang the tests
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  bool connected() const { return static_cast<bool>(socket_); }

  void send_raw(std::string_view bytes) {
    [[maybe_unused]] const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void send_frame(std::string_view frame) {
    std::string bytes;
    append_big(bytes, static_cast<int32_t>(frame.size()));
    send_raw(bytes.append(frame));
  }
  template <class M>
  int32_t send(const M& request, int16_t version) {
    std::string frame;
    write_request_header({static_cast<int16_t>(M::api), version, ++correlation_, "test"}, frame);
    encode(request, version, frame);
    send_frame(frame);
    return correlation_;
  }

  // Nothing when the connection was closed.
  std::optional<std::string> receive_frame() {
    const auto size = receive(4);
    return size ? receive(static_cast<size_t>(load_big<int32_t>(size->data()))) : std::nullopt;
  }
  template <class M>
  M receive(int16_t version, int32_t correlation) {
    const auto frame = receive_frame();
    if (!frame) throw std::runtime_error("the broker closed the connection");
    const auto response = read_response(M::api, version, *frame);
    EXPECT_EQ(response->correlation_id, correlation);
    auto message = decode<M>(response->body, version);
    if (!message) throw std::runtime_error(message.error().message);
    return std::move(*message);
  }
  template <class Answered, class Asked>
  Answered ask(const Asked& request, int16_t version) {
    const int32_t correlation = send(request, version);
    return receive<Answered>(version, correlation);
  }
  void hang_up() { socket_.reset(); }

 private:
  std::optional<std::string> receive(size_t bytes) {
    std::string got(bytes, '\0');
    for (size_t have = 0; have < bytes;) {
      const ssize_t n = ::recv(socket_.get(), got.data() + have, bytes - have, 0);
      if (n <= 0) return std::nullopt;
      have += static_cast<size_t>(n);
    }
    return got;
  }

  Fd socket_;
  int32_t correlation_ = 0;
};

class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow-broker-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    set_logging(Severity::error);
    options_.initial_rebalance_delay = std::chrono::milliseconds(0);
  }
  ~BrokerTest() override {
    broker_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
    set_logging(Severity::info);
  }

  void start() {
    broker_.reset();
    log_.reset();
    auto log = log::Log::open(folder_ / "log", log_options_);
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    auto broker = Broker::start(options_, *log_, folder_ / "state");
    ASSERT_TRUE(broker) << broker.error().message;
    broker_ = std::move(*broker);
  }
  TestClient connect() { return TestClient(broker_->port()); }

  void make_topic(const std::string& name, int32_t partitions = 1) {
    const auto made = log_->create_topic(name, partitions, {});
    ASSERT_TRUE(made) << made.error().message;
  }

  static std::string batch_of(const std::vector<std::string>& values, int64_t time_ms = 1000) {
    log::BatchBuilder batch(time_ms);
    for (const auto& value : values) batch.add(time_ms, std::nullopt, value);
    return batch.finish();
  }
  // As an idempotent producer writes it.
  static std::string numbered(std::string batch, int64_t producer, int16_t epoch, int32_t sequence) {
    store_big(batch.data() + 43, producer);
    store_big(batch.data() + 51, epoch);
    store_big(batch.data() + 53, sequence);
    store_big(batch.data() + 17, crc32c(std::string_view(batch).substr(21)));
    return batch;
  }
  static ProduceRequest produce(const std::string& topic, std::string batch, int32_t partition = 0, int16_t acks = -1) {
    ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 1000;
    request.topics = {{topic, {{partition, Bytes{std::move(batch)}}}}};
    return request;
  }
  static ProduceResponse::Topic::Partition only(const ProduceResponse& response) {
    return response.topics.at(0).partitions.at(0);
  }
  static FetchRequest fetch(const std::string& topic, int64_t offset, int32_t max_wait_ms = 0, int32_t min_bytes = 1) {
    FetchRequest request;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = min_bytes;
    request.topics.resize(1);
    request.topics[0].topic = topic;
    request.topics[0].partitions = {{.partition = 0, .fetch_offset = offset, .partition_max_bytes = 1 << 20}};
    return request;
  }
  static FetchResponse::Topic::Partition only(const FetchResponse& response) {
    return response.topics.at(0).partitions.at(0);
  }
  static std::vector<std::string> values(std::string_view batches) {
    std::vector<std::string> all;
    while (!batches.empty()) {
      const auto header = log::check_batch(batches);
      if (!header) throw std::runtime_error(header.error().message);
      const auto records = log::read_records(batches.substr(0, static_cast<size_t>(header->bytes())));
      if (!records) throw std::runtime_error(records.error().message);
      for (const auto& record : *records) all.emplace_back(*record.value);
      batches.remove_prefix(static_cast<size_t>(header->bytes()));
    }
    return all;
  }

  std::filesystem::path folder_;
  log::LogOptions log_options_;
  BrokerOptions options_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Broker> broker_;
};

}  // namespace pinflow::kafka
