// The gateway's streams, before a service that does what it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "base/bytes.h"
#include "gateway/gateway.h"
#include "gateway/stream_request.h"
#include "http/client.h"
#include "http/raw_server_test.h"

namespace pinflow::gateway {
namespace {

using http::RawServer;
using testing::HasSubstr;

class NoTopics final : public kafka::TopicWriter {
 public:
  void write(std::string, std::vector<kafka::NewRecord>, Done) override { std::abort(); }
  std::expected<std::vector<std::string>, kafka::TopicFailure> list_topics() override { return {}; }
  std::expected<kafka::TopicInfo, kafka::TopicFailure> describe_topic(const std::string&) override { std::abort(); }
};

struct Asked {
  std::string operation, body;
};

class StreamsTest : public testing::Test {
 protected:
  using Answers = std::function<std::string(const Asked&)>;  // the whole HTTP response

  void start(Answers answers, GatewayOptions options = {}) {
    service = std::make_unique<RawServer>([this, answers](const RawServer::Got& got) {
      const std::string_view mark = "Kinesis_20131202.";
      const size_t at = got.head.find(mark) + mark.size();
      Asked one{got.head.substr(at, got.head.find('\r', at) - at), got.body};
      {
        std::unique_lock lock(mutex);
        asked.push_back(one);
        heads.push_back(got.head);
        came.notify_all();
        came.wait(lock, [&] { return !hold; });
      }
      return RawServer::Reply{answers(one), false};
    });
    auto endpoint = kinesis::Endpoint::create(
        {.url = service->url(), .attempts = 1},
        aws::fixed_credentials({.access_key_id = "id", .secret_access_key = "secret", .session_token = "token"}));
    ASSERT_TRUE(endpoint);
    options.streams = *endpoint;
    auto started = Gateway::start(std::move(options), topics);
    ASSERT_TRUE(started) << started.error().message;
    gateway = std::move(*started);
    http = std::move(*http::Client::create({.max_connections = 2000}));
  }

  http::Response send(std::string method, std::string_view path, std::string body = "",
                      std::vector<http::HeaderField> headers = {}) {
    auto outcome = http->request(
        {std::move(method), fmt::format("{}{}", gateway->invoke_url(), path), std::move(headers), std::move(body)});
    EXPECT_TRUE(outcome.response);
    return outcome.response ? *outcome.response : http::Response{};
  }

  void release() {
    const std::lock_guard lock(mutex);
    hold = false;
    came.notify_all();
  }

  NoTopics topics;
  std::mutex mutex;
  std::condition_variable came;
  bool hold = false;  // answers wait
  std::vector<Asked> asked;
  std::vector<std::string> heads;
  std::unique_ptr<RawServer> service;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<http::Client> http;
};

// Stores everything: sequence numbers from 1, the shard is 0.
std::string stores(const Asked& asked) {
  simdjson::dom::parser parser;
  simdjson::dom::element root = parser.parse(asked.body).value();
  if (asked.operation != "PutRecords") return RawServer::response(200, R"({"SequenceNumber":"7","ShardId":"s-0"})");
  std::string body;
  const size_t count = root["Records"].get_array().value().size();
  for (size_t i = 0; i < count; ++i)
    body += fmt::format(R"({}{{"SequenceNumber":"{}","ShardId":"s-0"}})", i > 0 ? "," : "", i + 1);
  return RawServer::response(200, fmt::format(R"({{"FailedRecordCount":0,"Records":[{}]}})", body));
}

std::string decoded(std::string_view base64) {
  std::string bytes;
  EXPECT_TRUE(base64_decode(base64, bytes)) << base64;
  return bytes;
}

TEST_F(StreamsTest, StoresARecordAsJsonUnderThePathsName) {
  start(stores);
  for (const char* path : {"/streams/streaming-a/record", "/streams/streaming-a/record/",
                           "//streams//streaming-a/record", "/streams/record?stream-name=streaming-a"}) {
    const auto answer = send("PUT", path, R"({"StreamName":"wrong","Data":{"a": 1.50, "b":"é"},"PartitionKey":"k"})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, R"({"SequenceNumber":"1","ShardId":"s-0"})");
    EXPECT_EQ(answer.content_type, "application/json");
  }
  ASSERT_EQ(asked.size(), 4u);
  for (const Asked& one : asked) {
    EXPECT_EQ(one.operation, "PutRecords");
    EXPECT_EQ(one.body, R"({"StreamName":"streaming-a","Records":[{"Data":")" +
                            base64_encode(R"({"a": 1.50, "b":"é"})") + R"(","PartitionKey":"k"}]})");
  }
  EXPECT_THAT(heads[0], HasSubstr("Authorization: AWS4-HMAC-SHA256 Credential=id/"));
  EXPECT_THAT(heads[0], HasSubstr("/us-east-1/kinesis/aws4_request"));
  EXPECT_THAT(heads[0], HasSubstr("x-amz-security-token: token"));
  EXPECT_THAT(heads[0], HasSubstr("content-type: application/x-amz-json-1.1"));
  EXPECT_EQ(gateway->counts().stream_records_acknowledged, 4);
}

TEST_F(StreamsTest, LetsRecordsThatComeTogetherTravelTogether) {
  start(stores);
  hold = true;
  constexpr int kRecords = 1200;
  int answered = 0;
  for (int i = 0; i < kRecords; ++i) {
    http->send({"PUT",
                gateway->invoke_url() + "/streams/s/record",
                {},
                fmt::format(R"({{"Data":{},"PartitionKey":"k{}"}})", i, i)},
               [&](http::Outcome outcome) {
                 ASSERT_TRUE(outcome.response);
                 EXPECT_EQ(outcome.response->status, 200) << outcome.response->body;
                 ++answered;
               });
  }
  while (gateway->counts().requests < kRecords) http->wait(std::chrono::milliseconds(10));
  release();
  while (answered < kRecords) http->wait(std::chrono::milliseconds(100));
  std::set<std::string> data;
  size_t most = 0;
  for (const Asked& one : asked) {
    simdjson::dom::parser parser;
    simdjson::dom::element root = parser.parse(one.body).value();
    const simdjson::dom::array records = root["Records"].get_array().value();
    most = std::max(most, records.size());
    for (const simdjson::dom::element record : records) data.insert(decoded(record["Data"].get_string().value()));
  }
  EXPECT_EQ(data.size(), static_cast<size_t>(kRecords));
  EXPECT_EQ(most, 500u);
  EXPECT_LT(asked.size(), 20u);
}

TEST_F(StreamsTest, GivesEachRecordItsOwnResult) {
  start([this](const Asked& one) -> std::string {
    if (one.operation == "CreateStream") {
      return RawServer::response(200, "");
    }
    simdjson::dom::parser parser;
    simdjson::dom::element root = parser.parse(one.body).value();
    std::string slots;
    const simdjson::dom::array records = root["Records"].get_array().value();
    for (const simdjson::dom::element record : records) {
      const std::string_view key = record["PartitionKey"].get_string().value();
      if (!slots.empty()) slots += ',';
      if (key == "throttled")
        slots += R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slow"})";
      else if (key == "broken") slots += R"({"ErrorCode":"InternalFailure","ErrorMessage":"oh"})";
      else slots += fmt::format(R"({{"SequenceNumber":"1","ShardId":"{}"}})", key);
    }
    return RawServer::response(200, fmt::format(R"({{"FailedRecordCount":2,"Records":[{}]}})", slots));
  });
  std::map<std::string, http::Response> answers;
  hold = true;
  for (const std::string key : {"one", "throttled", "broken", "two"}) {
    http->send({"PUT",
                gateway->invoke_url() + "/streams/s/record",
                {},
                fmt::format(R"({{"Data":{{}},"PartitionKey":"{}"}})", key)},
               [&answers, key](http::Outcome outcome) { answers[key] = *outcome.response; });
  }
  while (gateway->counts().requests < 4) http->wait(std::chrono::milliseconds(10));
  release();
  while (answers.size() < 4) http->wait(std::chrono::milliseconds(100));
  EXPECT_EQ(answers["one"].body, R"({"SequenceNumber":"1","ShardId":"one"})");
  EXPECT_EQ(answers["two"].body, R"({"SequenceNumber":"1","ShardId":"two"})");
  EXPECT_EQ(answers["throttled"].status, 400);
  EXPECT_EQ(answers["throttled"].body, R"({"__type":"ProvisionedThroughputExceededException","message":"slow"})");
  EXPECT_EQ(answers["broken"].status, 500);
  EXPECT_EQ(gateway->counts().stream_records_acknowledged, 2);
  EXPECT_EQ(gateway->counts().stream_records_failed, 2);
}

TEST_F(StreamsTest, SendsAloneWhatMadeTheOthersFail) {
  start([](const Asked& one) -> std::string {
    if (one.operation == "PutRecords" || one.body.contains("\"bad\""))
      return RawServer::response(400, R"({"__type":"ValidationException","message":"no"})");
    return RawServer::response(200, R"({"SequenceNumber":"9","ShardId":"s-1"})");
  });
  hold = true;
  std::map<std::string, int> answers;
  for (const std::string key : {"a", "b", "bad", "c"}) {
    http->send({"PUT",
                gateway->invoke_url() + "/streams/s/record",
                {},
                fmt::format(R"({{"Data":{{}},"PartitionKey":"{}"}})", key)},
               [&answers, key](http::Outcome outcome) { answers[key] = outcome.response->status; });
  }
  while (gateway->counts().requests < 4) http->wait(std::chrono::milliseconds(10));
  release();
  while (answers.size() < 4) http->wait(std::chrono::milliseconds(100));
  EXPECT_EQ(answers["bad"], 400);
  EXPECT_EQ(answers["c"], 200);
}

TEST_F(StreamsTest, MapsTheOtherResources) {
  start([](const Asked& one) { return RawServer::response(200, fmt::format(R"({{"did":"{}"}})", one.operation)); });
  struct Case {
    const char *method, *path, *body, *operation, *asked;
  };
  const Case cases[] = {
      {"GET", "/streams", "", "ListStreams", "{}"},
      {"GET", "/streams?Limit=2&ExclusiveStartStreamName=a", "", "ListStreams",
       R"({"ExclusiveStartStreamName":"a","Limit":2})"},
      {"GET", "/streams/s", "", "DescribeStream", R"({"StreamName":"s"})"},
      {"POST", "/streams/s", "", "CreateStream", R"({"StreamName":"s","ShardCount":5})"},
      {"POST", "/streams/s", "{}", "CreateStream", R"({"StreamName":"s","ShardCount":5})"},
      {"POST", "/streams/s", R"({"ShardCount":"3"})", "CreateStream", R"({"StreamName":"s","ShardCount":3})"},
      {"DELETE", "/streams/s", "", "DeleteStream", R"({"StreamName":"s"})"},
      {"GET", "/streams/s/sharditerator?shard-id=shardId-000000000000", "", "GetShardIterator",
       R"({"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"TRIM_HORIZON"})"},
      {"POST", "/streams/s/records", R"({"records":[{"data":{"a":1},"partition-key":"k"}]})", "PutRecords",
       R"({"StreamName":"s","Records":[{"Data":"eyJhIjoxfQ==","PartitionKey":"k"}]})"},
      {"PUT", "/streams/s/records", R"({"Records":[{"Data":"x","PartitionKey":5},{"Data":[1],"PartitionKey":"k"}]})",
       "PutRecords",
       R"({"StreamName":"s","Records":[{"Data":"Ingi","PartitionKey":"5"},{"Data":"WzFd","PartitionKey":"k"}]})"},
      {"PUT", "/streams/s/record", R"({"Data":{},"PartitionKey":"k","ExplicitHashKey":"0"})", "PutRecord",
       R"({"StreamName":"s","Data":"e30=","PartitionKey":"k","ExplicitHashKey":"0"})"},
      {"PUT", "/streams/s/record", R"({"PartitionKey":null})", "PutRecord", R"({"StreamName":"s"})"},
  };
  for (const Case& c : cases) {
    const auto answer = send(c.method, c.path, c.body);
    EXPECT_EQ(answer.status, 200) << c.path;
    EXPECT_EQ(answer.body, fmt::format(R"({{"did":"{}"}})", c.operation)) << c.path;
    EXPECT_EQ(asked.back().operation, c.operation);
    EXPECT_EQ(asked.back().body, c.asked);
  }
  EXPECT_EQ(send("GET", "/streams/s/records", "", {{"Shard-Iterator", "it=="}}).status, 200);
  EXPECT_EQ(asked.back().body, R"({"ShardIterator":"it=="})");
}

TEST_F(StreamsTest, HandsErrorsOnAsTheyAre) {
  const std::string error = R"({"__type":"ResourceNotFoundException","message":"Stream s under account 1 not found."})";
  start([&](const Asked&) { return RawServer::response(400, error); });
  for (const char* path : {"/streams/s/record", "/streams/s/records"}) {
    const auto answer =
        send("PUT", path, R"({"Data":{},"PartitionKey":"k","records":[{"Data":1,"PartitionKey":"k"}]})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, error);
  }
  EXPECT_EQ(gateway->counts().stream_records_failed, 2);
}

TEST_F(StreamsTest, RefusesBodiesThatAreNoJson) {
  start(stores);
  for (const char* body : {"", "[]", "{", "{\"Data\":}", "{\"Data\":{}} x", "\xff"}) {
    const auto answer = send("PUT", "/streams/s/record", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr("SerializationException"));
  }
  for (const char* body : {"{}", "{\"records\":null}", "{\"records\":[1]}"})
    EXPECT_EQ(send("PUT", "/streams/s/records", body).status, 400) << body;
  EXPECT_EQ(send("POST", "/streams/s", "{\"ShardCount\":\"x\"}").status, 400);
  EXPECT_EQ(send("PUT", "/streams/s").status, 405);
  EXPECT_EQ(send("PUT", "/streams/s/record", "{}", {{"Content-Encoding", "gzip"}}).status, 415);
  EXPECT_TRUE(asked.empty());
}

TEST_F(StreamsTest, WordsItsOwnErrorsAsApiGatewayDoes) {
  start(stores);
  struct Case {
    const char *method, *path;
    int status;
    const char* message;
  };
  const Case cases[] = {
      {"PUT", "/streams/s", 405, "takes DELETE,GET,OPTIONS,POST"},
      {"DELETE", "/streams/s/record", 405, "takes OPTIONS,POST,PUT"},
      {"PUT", "/streams/s/nothing", 404, "no such resource"},
      {"GET", "/streams/s/records/x", 404, "no such resource"},
      {"GET", "/streams/%zz", 400, "percent"},
      {"GET", "/streams?Limit=%zz", 400, "percent"},
      {"PUT", "/streams/record", 400, "/streams/NAME/record"},
      {"PUT", "/streams/records", 400, "/streams/records?stream-name=NAME"},
      {"POST", "/streams/record", 400, "/streams/NAME/record"},
  };
  for (const Case& c : cases) {
    const auto answer = send(c.method, c.path, R"({"StreamName":"s","Data":{},"PartitionKey":"k"})");
    EXPECT_EQ(answer.status, c.status) << c.path;
    EXPECT_TRUE(answer.body.starts_with(R"({"message":")")) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(c.message));
    EXPECT_EQ(answer.content_type, "application/json");
    EXPECT_EQ(!http::find_header(answer.headers, "Allow").empty(), c.status == 405) << c.path;
  }
  EXPECT_EQ(send("POST", "/streams/records", R"({"records":[{"Data":1,"PartitionKey":"k"}]})").status, 400);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(gateway->counts().requests_refused, static_cast<int64_t>(std::size(cases)) + 1);
  EXPECT_EQ(send("POST", "/streams/record", R"({"ShardCount":1})").status, 200);
  EXPECT_EQ(asked.back().operation, "CreateStream");
}

TEST_F(StreamsTest, SaysThatTheServiceCannotBeReached) {
  start(stores);
  service->stop();
  const auto answer = send("PUT", "/streams/s/record", R"({"Data":{},"PartitionKey":"k"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(http::find_header(answer.headers, "Retry-After"), "1");
}

TEST_F(StreamsTest, SaysThatAnAnswerWasLostAndSendsNothingTwice) {
  start([](const Asked&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"); });
  // The connection ends within the answer.
  service = nullptr;
  std::atomic<int> times = 0;
  RawServer cut([&](const RawServer::Got&) {
    ++times;
    return RawServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", true};
  });
  auto endpoint = kinesis::Endpoint::create({.url = cut.url()}, aws::fixed_credentials({"id", "secret", "", {}}));
  GatewayOptions options;
  options.streams = *endpoint;
  gateway = std::move(*Gateway::start(std::move(options), topics));
  const auto answer = send("PUT", "/streams/s/record", R"({"Data":{},"PartitionKey":"k"})");
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(times, 1);
}

TEST_F(StreamsTest, SaysWhatIsMissingWithoutAnEndpoint) {
  GatewayOptions options;
  options.why_no_streams = "give --kinesis-endpoint";
  gateway = std::move(*Gateway::start(std::move(options), topics));
  http = std::move(*http::Client::create({}));
  const auto answer = send("GET", "/streams");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, R"({"message":"give --kinesis-endpoint"})");
}

TEST_F(StreamsTest, RefusesMoreThanMayWait) {
  GatewayOptions options;
  options.max_bytes_in_flight = 3 << 10;
  start(stores, std::move(options));
  hold = true;
  std::map<int, int> statuses;
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    http->send({"PUT", gateway->invoke_url() + "/streams/s/record", {}, R"({"Data":{},"PartitionKey":"k"})"},
               [&](http::Outcome outcome) {
                 ++statuses[outcome.response->status];
                 ++answered;
               });
  }
  while (answered < 8) http->wait(std::chrono::milliseconds(10));
  release();
  while (answered < 10) http->wait(std::chrono::milliseconds(10));
  EXPECT_EQ(statuses[200], 2);
  EXPECT_EQ(statuses[429], 8);
}

}  // namespace
}  // namespace pinflow::gateway
