#include "gateway/gateway.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/files.h"
#include "gateway/rest_error.h"

namespace pinflow::gateway {
namespace {

using kafka::KafkaError;
using kafka::NewRecord;
using kafka::Written;

constexpr const char* kJsonV2 = "application/vnd.kafka.json.v2+json";
constexpr const char* kBinaryV2 = "application/vnd.kafka.binary.v2+json";

// Topics in memory, and any failure a test asks for.
class FakeWriter final : public kafka::TopicWriter {
 public:
  // Decides on one record; none stores it.
  std::function<KafkaError(const NewRecord&)> refuse = [](const NewRecord&) { return KafkaError::none; };
  std::set<std::string> missing;  // topics that are not there and are not made
  int partitions = 2;
  std::optional<kafka::TopicFailure> metadata_failure;
  bool hold = false;  // answers are kept in `held`

  void write(std::string topic, std::vector<NewRecord> records, Done done) override {
    std::vector<Written> all;
    std::unique_lock lock(mutex_);
    for (NewRecord& record : records) {
      Written w;
      w.partition = record.partition.value_or(0);
      if (missing.contains(topic) || w.partition >= partitions) w.error = KafkaError::unknown_topic_or_partition;
      else w.error = refuse(record);
      if (w.error == KafkaError::none) {
        auto& stored = topics_[topic][w.partition];
        w.offset = static_cast<int64_t>(stored.size());
        stored.push_back(std::move(record));
      } else {
        w.message = "refused for the test";
      }
      all.push_back(std::move(w));
    }
    if (hold) {
      held.emplace_back(std::move(done), std::move(all));
      held_count = held.size();
      held_count.notify_all();
      return;
    }
    lock.unlock();
    done(std::move(all));
  }

  std::expected<std::vector<std::string>, kafka::TopicFailure> list_topics() override {
    if (metadata_failure) return std::unexpected(*metadata_failure);
    std::vector<std::string> names;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, stored] : topics_) names.push_back(name);
    return names;
  }

  std::expected<kafka::TopicInfo, kafka::TopicFailure> describe_topic(const std::string& name) override {
    if (metadata_failure) return std::unexpected(*metadata_failure);
    const std::lock_guard lock(mutex_);
    if (!topics_.contains(name)) {
      return std::unexpected(kafka::TopicFailure{KafkaError::unknown_topic_or_partition, "no such topic"});
    }
    kafka::TopicInfo info{name, {}, {{"cleanup.policy", "delete"}}};
    for (int p = 0; p < partitions; ++p) info.partitions.push_back({p, 1, {1}, {1}});
    return info;
  }

  std::vector<NewRecord> stored(const std::string& topic, int partition = 0) {
    const std::lock_guard lock(mutex_);
    return topics_[topic][partition];
  }

  std::vector<std::pair<Done, std::vector<Written>>> held;
  std::atomic<size_t> held_count = 0;

 private:
  std::mutex mutex_;
  std::map<std::string, std::map<int, std::vector<NewRecord>>> topics_;
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class GatewayTest : public testing::Test {
 protected:
  void start(GatewayOptions options = {}) {
    auto started = Gateway::start(std::move(options), writer);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    gateway = std::move(*started);
  }
  void SetUp() override { start(); }

  // Sends one request on a connection of its own and reads the answer.
  Answer send(std::string_view method, std::string_view target, std::string_view headers = "",
              std::string_view body = "") {
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(gateway->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string request =
        fmt::format("{} {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{}", method, target,
                    body.size(), headers, body);
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t n = ::send(fd.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    shutdown(fd.get(), SHUT_WR);
    std::string got;
    char buffer[65536];
    for (ssize_t n; (n = recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) got.append(buffer, static_cast<size_t>(n));
    const size_t end = got.find("\r\n\r\n");
    if (end == got.npos) return {0, got, ""};
    return {std::stoi(got.substr(9, 3)), got.substr(0, end + 2), got.substr(end + 4)};
  }

  Answer post(std::string_view target, std::string_view body, std::string_view content_type = kJsonV2,
              std::string_view headers = "") {
    return send("POST", target, fmt::format("Content-Type: {}\r\n{}", content_type, headers), body);
  }

  static testing::AssertionResult is_error(const Answer& answer, int status, int code) {
    if (answer.status == status && answer.body.starts_with(fmt::format("{{\"error_code\":{},\"message\":\"", code))) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << answer.head << answer.body;
  }

  FakeWriter writer;
  std::unique_ptr<Gateway> gateway;
};

TEST_F(GatewayTest, stores_a_post_and_answers_its_offset) {
  for (const char* stage : {"", "/prod", "/Prod", "/my-prod/", "//dev"}) {
    const Answer answer = post(fmt::format("{}/topics/local.pin", stage), R"({"records":[{"value":{"index": 7528}}]})");
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  const Answer last = post("/prod/topics/local.pin/", R"({"records":[{"value":{"index": 7528}}]})");
  EXPECT_EQ(last.body, R"({"offsets":[{"partition":0,"offset":5,"error_code":null,"error":null}],)"
                       R"("key_schema_id":null,"value_schema_id":null})");
  EXPECT_NE(last.head.find("Content-Type: application/vnd.kafka.v2+json\r\n"), std::string::npos) << last.head;
  EXPECT_NE(last.head.find("Access-Control-Allow-Origin: *\r\n"), std::string::npos);
  const auto stored = writer.stored("local.pin");
  ASSERT_EQ(stored.size(), 6u);
  EXPECT_EQ(stored[5].value, R"({"index": 7528})");
  EXPECT_FALSE(stored[5].key.has_value());
  EXPECT_EQ(gateway->counts().records_acknowledged, 6);
  EXPECT_EQ(gateway->counts().requests, 6);
  EXPECT_EQ(gateway->counts().requests_refused, 0);
}

TEST_F(GatewayTest, stores_binary_records_and_those_for_a_partition) {
  EXPECT_EQ(post("/topics/t", R"({"records":[{"key":"a2V5","value":"AP8="}]})", kBinaryV2).status, 200);
  EXPECT_EQ(writer.stored("t").at(0).value, std::string("\x00\xff", 2));
  const Answer in_path = post("/topics/t/partitions/1", R"({"records":[{"value":1},{"value":2}]})");
  EXPECT_EQ(in_path.status, 200);
  EXPECT_NE(in_path.body.find(R"({"partition":1,"offset":1,)"), std::string::npos) << in_path.body;
  EXPECT_EQ(post("/topics/t", R"({"records":[{"value":3,"partition":1}]})").status, 200);
  EXPECT_EQ(writer.stored("t", 1).size(), 3u);
}

TEST_F(GatewayTest, answers_application_json_when_asked) {
  const Answer answer = post("/topics/t", R"({"records":[{"value":1}]})", kJsonV2, "Accept: application/json\r\n");
  EXPECT_NE(answer.head.find("Content-Type: application/json\r\n"), std::string::npos) << answer.head;
  EXPECT_TRUE(is_error(post("/topics/t", R"({"records":[{"value":1}]})", kJsonV2, "Accept: text/html\r\n"), 406, 406));
}

TEST_F(GatewayTest, answers_bad_requests_with_their_codes) {
  const std::string good = R"({"records":[{"value":1}]})";
  EXPECT_TRUE(is_error(post("/topics/t", "{broken"), 400, 400));
  EXPECT_TRUE(is_error(post("/topics/t", "{}"), 422, 422));
  EXPECT_TRUE(is_error(post("/topics/t", R"({"records":[]})"), 422, 422));
  EXPECT_TRUE(is_error(post("/topics/t", ""), 422, 422));
  EXPECT_TRUE(is_error(post("/topics/t", good, "text/plain"), 415, 415));
  EXPECT_TRUE(is_error(post("/topics/t", good, "application/vnd.kafka.protobuf.v2+json"), 415, 415));
  EXPECT_TRUE(is_error(post("/topics/t", good, kJsonV2, "Content-Encoding: gzip\r\n"), 415, 415));
  EXPECT_TRUE(is_error(post("/topics/t", good, "application/json"), 422, kPayloadError));
  EXPECT_TRUE(is_error(post("/nothing/here", good), 404, 404));
  EXPECT_TRUE(is_error(post("/topics/%zz", good), 400, 400));
  EXPECT_TRUE(is_error(post("/topics/t/partitions/x", good), 404, 404));
  EXPECT_TRUE(is_error(send("DELETE", "/topics/t"), 405, 405));
  EXPECT_TRUE(is_error(send("PUT", "/prod/topics"), 405, 405));
  EXPECT_NE(send("DELETE", "/topics/t").head.find("Allow: GET,OPTIONS,POST\r\n"), std::string::npos);
  EXPECT_TRUE(is_error(post("/topics/t", std::string((16 << 20) + 1, ' ')), 413, 413));
  EXPECT_GT(gateway->counts().requests_refused, 10);
  EXPECT_TRUE(writer.stored("t").empty());
}

TEST_F(GatewayTest, never_takes_a_post_to_an_unknown_path_for_stored) {
  const char* records = R"({"records":[{"value":1}]})";
  for (const char* path : {"/local.pin", "/nope", "/nope/", "//nope?x=1", "/prod", "/prod/local.pin", "/prod/nope"}) {
    const Answer answer = post(path, records);
    EXPECT_TRUE(is_error(answer, 404, 404)) << path;
    EXPECT_NE(answer.body.find("records are posted to /topics/{topic}"), std::string::npos) << answer.body;
  }
  EXPECT_TRUE(is_error(send("DELETE", "/prod"), 405, 405));
  EXPECT_TRUE(is_error(send("GET", "/prod/nope"), 404, 404));
  EXPECT_EQ(gateway->counts().records_acknowledged, 0);
  EXPECT_EQ(send("POST", "/").body, "{}");
  for (const char* path : {"/", "/prod", "/prod/"}) EXPECT_EQ(send("GET", path).body, "{}") << path;
}

TEST_F(GatewayTest, says_of_later_paths_that_they_are_not_there_yet) {
  for (const char* path : {"/consumers/students", "/prod/v3/clusters", "/kafka/v3/clusters", "/brokers",
                           "/topics/t/partitions/0/offsets"}) {
    const Answer answer = post(path, "{}");
    EXPECT_TRUE(is_error(answer, 404, 404)) << path;
    EXPECT_NE(answer.body.find("not served here yet"), std::string::npos) << answer.body;
  }
}

TEST_F(GatewayTest, gives_each_failed_record_its_slot) {
  writer.refuse = [](const NewRecord& r) {
    return r.value == "2"   ? KafkaError::invalid_record
           : r.value == "3" ? KafkaError::kafka_storage_error
                            : KafkaError::none;
  };
  const Answer answer = post("/topics/t", R"({"records":[{"value":1},{"value":2},{"value":3},{"value":4}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null},)"
      R"({"partition":null,"offset":null,"error_code":50002,"error":"refused for the test"},)"
      R"({"partition":null,"offset":null,"error_code":50003,"error":"refused for the test"},)"
      R"({"partition":0,"offset":1,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null})");
  EXPECT_EQ(gateway->counts().records_failed, 2);
  EXPECT_EQ(gateway->counts().records_acknowledged, 2);
}

TEST_F(GatewayTest, refuses_a_record_over_1_mib_in_its_slot_alone) {
  const std::string fits = "\"" + std::string((1 << 20) - 2, 'x') + "\"";
  const std::string large = "\"" + std::string((1 << 20) - 1, 'x') + "\"";
  const Answer mixed =
      post("/topics/t", R"({"records":[{"value":1},{"value":)" + large + R"(},{"value":)" + fits + "}]}");
  EXPECT_EQ(mixed.status, 200);
  EXPECT_EQ(
      mixed.body,
      R"({"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null},)"
      R"({"partition":null,"offset":null,"error_code":50002,"error":"The record has 1048577 bytes; at most 1048576 are taken."},)"
      R"({"partition":0,"offset":1,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null})");
  const Answer alone = post("/topics/t", R"({"records":[{"value":)" + large + "}]}");
  EXPECT_EQ(alone.status, 200);
  EXPECT_NE(alone.body.find("\"error_code\":50002"), std::string::npos);
  EXPECT_EQ(writer.stored("t").size(), 2u);
}

TEST_F(GatewayTest, passes_on_what_only_the_sink_may_judge) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += '[';
  for (int i = 0; i < 10'000; ++i) deep += ']';
  const std::string values[] = {
      R"({"a":1,"a":2})", R"("\udead")", deep, "1e999", R"("\u0000")", "\"" + std::string(1'000'000, 't') + "\""};
  for (const std::string& value : values) {
    EXPECT_EQ(post("/topics/t", R"({"records":[{"value":)" + value + "}]}").status, 200);
    EXPECT_EQ(writer.stored("t").back().value, value);
  }
}

TEST_F(GatewayTest, turns_kafkas_errors_into_the_rest_proxys) {
  struct Case {
    KafkaError error;
    int status, code;
  };
  const Case cases[] = {
      {KafkaError::throttling_quota_exceeded, 429, 429},    {KafkaError::broker_not_available, 503, 50302},
      {KafkaError::network_exception, 503, 50302},          {KafkaError::kafka_storage_error, 500, 50003},
      {KafkaError::request_timed_out, 500, 50003},          {KafkaError::not_leader_or_follower, 500, 50003},
      {KafkaError::unknown_server_error, 500, 50002},       {KafkaError::invalid_topic, 400, 40002},
      {KafkaError::topic_authorization_failed, 403, 40301}, {KafkaError::sasl_authentication_failed, 401, 40101},
  };
  for (const Case& c : cases) {
    writer.refuse = [&](const NewRecord&) { return c.error; };
    const Answer answer = post("/topics/t", R"({"records":[{"value":1},{"value":2}]})");
    EXPECT_TRUE(is_error(answer, c.status, c.code)) << static_cast<int>(c.error);
    EXPECT_EQ(answer.head.find("Retry-After: 1\r\n") != std::string::npos, c.status == 429);
  }
  EXPECT_EQ(gateway->counts().records_failed, static_cast<int64_t>(2 * std::size(cases)));
}

TEST_F(GatewayTest, tells_a_missing_topic_from_a_missing_partition) {
  writer.missing = {"absent"};
  const std::string body = R"({"records":[{"value":1}]})";
  const Answer absent = post("/topics/absent", body);
  EXPECT_TRUE(is_error(absent, 404, kTopicNotFound));
  EXPECT_NE(absent.body.find("absent"), std::string::npos);
  EXPECT_TRUE(is_error(post("/topics/absent/partitions/0", body), 404, kTopicNotFound));
  EXPECT_EQ(post("/topics/t", body).status, 200);
  EXPECT_TRUE(is_error(post("/topics/t/partitions/7", body), 404, kPartitionNotFound));
  const Answer named = post("/topics/t", R"({"records":[{"value":1,"partition":7}]})");
  EXPECT_EQ(named.status, 200);
  EXPECT_NE(named.body.find("\"error_code\":40403"), std::string::npos) << named.body;
}

TEST_F(GatewayTest, shows_topics_and_partitions) {
  EXPECT_EQ(send("GET", "/topics").body, "[]");
  post("/topics/b", R"({"records":[{"value":1}]})");
  post("/topics/a", R"({"records":[{"value":1}]})");
  EXPECT_EQ(send("GET", "/prod/topics").body, R"(["a","b"])");
  const std::string p0 = R"({"partition":0,"leader":1,"replicas":[{"broker":1,"leader":true,"in_sync":true}]})";
  const std::string p1 = R"({"partition":1,"leader":1,"replicas":[{"broker":1,"leader":true,"in_sync":true}]})";
  EXPECT_EQ(send("GET", "/topics/a").body,
            R"({"name":"a","configs":{"cleanup.policy":"delete"},"partitions":[)" + p0 + "," + p1 + "]}");
  EXPECT_EQ(send("GET", "/topics/a/partitions").body, "[" + p0 + "," + p1 + "]");
  EXPECT_EQ(send("GET", "/topics/a/partitions/1").body, p1);
  EXPECT_TRUE(is_error(send("GET", "/topics/a/partitions/2"), 404, kPartitionNotFound));
  EXPECT_TRUE(is_error(send("GET", "/topics/none"), 404, kTopicNotFound));
  EXPECT_EQ(send("GET", "/").body, "{}");
  const Answer head = send("HEAD", "/topics");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  writer.metadata_failure = kafka::TopicFailure{KafkaError::broker_not_available, "no broker"};
  EXPECT_TRUE(is_error(send("GET", "/topics"), 503, 50302));
}

TEST_F(GatewayTest, answers_preflight_requests_as_api_gateway_does) {
  const Answer topic = send("OPTIONS", "/prod/topics/local.pin", "Origin: http://page\r\n");
  EXPECT_EQ(topic.status, 200);
  EXPECT_NE(topic.head.find("Access-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_NE(topic.head.find("Access-Control-Allow-Methods: GET,OPTIONS,POST\r\n"), std::string::npos);
  EXPECT_NE(topic.head.find("Access-Control-Allow-Headers: "
                            "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token\r\n"),
            std::string::npos);
  EXPECT_NE(send("OPTIONS", "/topics").head.find("Access-Control-Allow-Methods: GET,OPTIONS\r\n"), std::string::npos);
  EXPECT_TRUE(is_error(send("OPTIONS", "/nothing/there"), 404, 404));
}

TEST_F(GatewayTest, answers_429_when_too_many_bytes_wait) {
  GatewayOptions options;
  options.max_bytes_in_flight = 100;
  start(std::move(options));
  writer.hold = true;
  const std::string body = R"({"records":[{"value":")" + std::string(60, 'x') + R"("}]})";
  auto first = std::async(std::launch::async, [&] { return post("/topics/t", body); });
  writer.held_count.wait(0);
  const Answer second = post("/topics/t", body);
  EXPECT_TRUE(is_error(second, 429, 429));
  EXPECT_NE(second.head.find("Retry-After: 1\r\n"), std::string::npos);
  writer.held[0].first(std::move(writer.held[0].second));
  EXPECT_EQ(first.get().status, 200);
  writer.hold = false;
  EXPECT_EQ(post("/topics/t", body).status, 200);
}

TEST_F(GatewayTest, answers_what_is_under_way_before_it_stops) {
  writer.hold = true;
  auto first = std::async(std::launch::async, [&] { return post("/topics/t", R"({"records":[{"value":1}]})"); });
  writer.held_count.wait(0);
  auto stopped = std::async(std::launch::async, [&] { gateway->stop(60'000); });
  writer.held[0].first(std::move(writer.held[0].second));
  EXPECT_EQ(first.get().status, 200);
  stopped.get();
}

TEST_F(GatewayTest, survives_an_acknowledgement_after_its_end) {
  writer.hold = true;
  auto first = std::async(std::launch::async, [&] { return post("/topics/t", R"({"records":[{"value":1}]})"); });
  writer.held_count.wait(0);
  gateway->stop(10);
  gateway.reset();
  EXPECT_EQ(first.get().status, 0);
  writer.held[0].first(std::move(writer.held[0].second));
}

TEST_F(GatewayTest, names_its_invoke_url) {
  EXPECT_EQ(gateway->invoke_url(), fmt::format("http://127.0.0.1:{}/prod", gateway->port()));
  GatewayOptions options;
  options.http.port = gateway->port();
  const auto second = Gateway::start(std::move(options), writer);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("the port is in use"), std::string::npos);
}

}  // namespace
}  // namespace pinflow::gateway
