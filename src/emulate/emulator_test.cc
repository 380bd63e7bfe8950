#include "emulate/emulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "base/shutdown.h"
#include "http/raw_server_test.h"

namespace pinflow::emulate {
namespace {

using http::RawServer;
using testing::HasSubstr;

class TestRows : public RowSource {
 public:
  explicit TestRows(int64_t rows) : rows_(rows) {}
  Result<int64_t> count() override { return rows_; }
  Result<std::vector<std::string>> post(int64_t n) override {
    if (failing_after >= 0 && n >= failing_after) return corrupt("row {} is broken", n);
    if (flaky && ++calls % 3 == 0) return unavailable("not now");
    return std::vector<std::string>{fmt::format(R"({{"a":{}}})", n), n % 2 ? "" : fmt::format(R"({{"b":{}}})", n)};
  }
  int64_t failing_after = -1;
  bool flaky = false;
  std::atomic<int> calls{0};

 private:
  int64_t rows_;
};

// Counts what it was sent, and answers as told.
class Gateway {
 public:
  using Decide = std::function<RawServer::Reply(int number, const RawServer::Got& got)>;  // number: from 0

  explicit Gateway(Decide decide = {})
      : decide_(std::move(decide)), server_([this](const auto& got) { return answer(got); }) {}

  static RawServer::Reply stored(const RawServer::Got& got) {
    size_t records = 0;
    for (size_t at = got.body.find("\"value\":"); at != std::string::npos; at = got.body.find("\"value\":", at + 1))
      ++records;
    std::string slots;
    for (size_t i = 0; i < records; ++i)
      slots += fmt::format("{}{{\"partition\":0,\"offset\":{},\"error_code\":null}}", i ? "," : "", i);
    return {RawServer::response(200, "{\"offsets\":[" + slots + "]}"), false};
  }

  EmulateOptions options() const {
    EmulateOptions options;
    options.url = server_.url("/prod/");
    options.records = {{"a", "x.a"}, {"b", "x.b"}};
    options.connections = 4;
    return options;
  }
  std::map<std::string, int> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  int requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  RawServer::Reply answer(const RawServer::Got& got) {
    int number;
    {
      const std::lock_guard lock(mutex_);
      number = requests_++;
      ++seen_[got.target() + " " + got.body];
    }
    EXPECT_THAT(got.head, HasSubstr("Content-Type: application/vnd.kafka.json.v2+json"));
    return decide_ ? decide_(number, got) : stored(got);
  }

  Decide decide_;
  std::mutex mutex_;
  std::map<std::string, int> seen_;
  int requests_ = 0;
  RawServer server_;
};

EmulateCounts run(RowSource& rows, const EmulateOptions& options) {
  auto counts = emulate(rows, options);
  EXPECT_TRUE(counts) << counts.error().message;
  return counts.value_or(EmulateCounts{});
}

TEST(Emulator, PostsEachRecordByItself) {
  Gateway gateway;
  TestRows rows(5);
  auto options = gateway.options();
  options.all = true;
  std::ostringstream lines;
  options.verbose = &lines;
  const EmulateCounts counts = run(rows, options);
  EXPECT_TRUE(counts.complete());
  EXPECT_EQ(counts.posts, 5);
  EXPECT_EQ(counts.posted, 8);  // rows 1 and 3 have no record of type b
  EXPECT_EQ(counts.acknowledged, 8);
  EXPECT_EQ(counts.acknowledged_by_type, (std::vector<int64_t>{5, 3}));
  EXPECT_EQ(counts.refused + counts.answers_lost + counts.retries + counts.given_up, 0);
  const auto seen = gateway.seen();
  EXPECT_EQ(seen.size(), 8u);
  EXPECT_EQ(seen.at(R"(/prod/topics/x.a {"records":[{"value":{"a":4}}]})"), 1);
  EXPECT_EQ(seen.at(R"(/prod/topics/x.b {"records":[{"value":{"b":2}}]})"), 1);
  EXPECT_EQ(
      lines.str(),
      "{\"a\":{\"a\":0},\"b\":{\"b\":0}}\n{\"a\":{\"a\":1}}\n{\"a\":{\"a\":2},\"b\":{\"b\":2}}\n{\"a\":{\"a\":3}}\n"
      "{\"a\":{\"a\":4},\"b\":{\"b\":4}}\n");
}

TEST(Emulator, DrawsTheCoursesRows) {
  Gateway gateway;
  TestRows rows(11'154);
  auto options = gateway.options();
  options.posts = 8;
  options.records.resize(2);
  std::ostringstream lines;
  options.verbose = &lines;
  EXPECT_TRUE(run(rows, options).complete());
  std::istringstream in(lines.str());
  std::string line;
  for (const int row : {7528, 2863, 5730, 8304, 8731, 1313, 4315, 10794}) {
    ASSERT_TRUE(std::getline(in, line));
    EXPECT_THAT(line, HasSubstr(fmt::format("{{\"a\":{}}}", row)));
  }
}

TEST(Emulator, PostsBatches) {
  Gateway gateway;
  TestRows rows(100);
  auto options = gateway.options();
  options.all = true;
  options.records_per_request = 30;
  const EmulateCounts counts = run(rows, options);
  EXPECT_TRUE(counts.complete());
  EXPECT_EQ(counts.acknowledged, 150);
  EXPECT_EQ(counts.acknowledged_by_type, (std::vector<int64_t>{100, 50}));
  EXPECT_GE(gateway.requests(), 6);
  EXPECT_LT(gateway.requests(), 60);
}

TEST(Emulator, TriesAgain) {
  Gateway gateway([](int number, const RawServer::Got& got) -> RawServer::Reply {
    switch (number) {
      case 0: return {RawServer::response(429, "slow", "Retry-After: 0\r\n"), false};
      case 1: return {RawServer::response(500, "{}"), false};
      case 2: return {RawServer::response(503, "", "Connection: close\r\n"), true};
      case 3: return {"", true};
      case 4: return {RawServer::response(200, R"({"offsets":[{"error_code":50003,"error":"busy"}]})"), false};
      default: return Gateway::stored(got);
    }
  });
  TestRows rows(10);
  auto options = gateway.options();
  options.all = true;
  const EmulateCounts counts = run(rows, options);
  EXPECT_TRUE(counts.complete());
  EXPECT_EQ(counts.posted, 15);
  EXPECT_EQ(counts.acknowledged, 15);
  EXPECT_EQ(counts.retries, 5);
  EXPECT_EQ(counts.answers_lost, 4);  // all but the 429
  EXPECT_EQ(gateway.requests(), 20);
}

TEST(Emulator, RefusesAreNotTriedAgain) {
  Gateway gateway([](int, const RawServer::Got& got) -> RawServer::Reply {
    if (got.body.find("\"b\":2") != std::string::npos)
      return {RawServer::response(422, R"({"message":"bad b"})"), false};
    return Gateway::stored(got);
  });
  TestRows rows(6);
  auto options = gateway.options();
  options.all = true;
  for (const int together : {1, 4}) {
    options.records_per_request = together;
    const EmulateCounts counts = run(rows, options);
    EXPECT_FALSE(counts.complete());
    EXPECT_FALSE(counts.failure);
    EXPECT_EQ(counts.posted, 9) << together;
    EXPECT_EQ(counts.acknowledged, 8) << together;
    EXPECT_EQ(counts.refused, 1) << together;
    EXPECT_EQ(counts.given_up, 0) << together;
    EXPECT_THAT(counts.first_refusal, HasSubstr("bad b"));
    EXPECT_THAT(counts.first_refusal, HasSubstr("/prod/topics/x.b"));
  }
}

TEST(Emulator, KeepsTheGoodRecordsOfABatch) {
  std::atomic<bool> once{true};
  Gateway gateway([&](int, const RawServer::Got& got) -> RawServer::Reply {
    if (got.target() != "/prod/topics/x.a" || !once.exchange(false)) return Gateway::stored(got);
    return {RawServer::response(200, R"({"offsets":[{"offset":1},{"error_code":50003,"error":"busy"},
                                        {"error_code":50002,"error":"no"},{"offset":2}]})"),
            false};
  });
  TestRows rows(4);
  auto options = gateway.options();
  options.all = true;
  options.records_per_request = 4;
  const EmulateCounts counts = run(rows, options);
  EXPECT_EQ(counts.posted, 6);
  EXPECT_EQ(counts.acknowledged, 5);
  EXPECT_EQ(counts.refused, 1);
  EXPECT_EQ(counts.retries, 1);
  EXPECT_EQ(gateway.seen().count(R"(/prod/topics/x.a {"records":[{"value":{"a":1}}]})"), 1u);
}

TEST(Emulator, CountsAnswersThatNeverCome) {
  Gateway gateway(
      [](int number, const RawServer::Got& got) { return number < 2 ? RawServer::Reply{} : Gateway::stored(got); });
  TestRows rows(4);
  auto options = gateway.options();
  options.all = true;
  options.request_timeout_ms = 100;
  const EmulateCounts counts = run(rows, options);
  EXPECT_TRUE(counts.complete());
  EXPECT_EQ(counts.acknowledged, 6);
  EXPECT_EQ(counts.answers_lost, 2);
  EXPECT_EQ(counts.retries, 2);
}

TEST(Emulator, GivesUpWhereNobodyAnswers) {
  uint16_t port;
  {
    port = RawServer([](const RawServer::Got&) { return RawServer::Reply{}; }).port();
  }
  Gateway gateway;
  TestRows rows(4);
  auto options = gateway.options();
  options.url = fmt::format("http://127.0.0.1:{}/prod", port);
  options.first_answer_ms = 200;
  const EmulateCounts counts = run(rows, options);  // endless, but for the failure
  EXPECT_FALSE(counts.complete());
  ASSERT_TRUE(counts.failure);
  EXPECT_EQ(counts.failure->code, Code::unavailable);
  EXPECT_THAT(counts.failure->message, HasSubstr(fmt::format("127.0.0.1:{}", port)));
  EXPECT_EQ(counts.acknowledged, 0);
  EXPECT_EQ(counts.answers_lost, 0);  // nothing was ever sent
  EXPECT_EQ(counts.posted, counts.given_up);
}

TEST(Emulator, SurvivesARestartOfTheServer) {
  uint16_t port;
  {
    port = RawServer([](const RawServer::Got&) { return RawServer::Reply{}; }).port();
  }
  Gateway unused;
  TestRows rows(50);
  auto options = unused.options();
  options.all = true;
  options.url = fmt::format("http://127.0.0.1:{}", port);
  std::atomic<int> served{0};
  auto serve = [&](const RawServer::Got& got) {
    ++served;
    return Gateway::stored(got);
  };
  std::thread server([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    RawServer late(serve, port);
    while (served < 75) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for the last answers
  });
  const EmulateCounts counts = run(rows, options);
  server.join();
  EXPECT_TRUE(counts.complete());
  EXPECT_EQ(counts.acknowledged, 75);
  EXPECT_GT(counts.retries, 0);
}

TEST(Emulator, EndsWithTheSourcesError) {
  Gateway gateway;
  TestRows rows(100);
  rows.failing_after = 10;
  auto options = gateway.options();
  options.all = true;
  const EmulateCounts counts = run(rows, options);
  ASSERT_TRUE(counts.failure);
  EXPECT_EQ(counts.failure->code, Code::corrupt);
  EXPECT_THAT(counts.failure->message, HasSubstr("row 10 is broken"));
  EXPECT_EQ(counts.posts, 10);
  EXPECT_EQ(counts.acknowledged, counts.posted);
}

TEST(Emulator, ReadsAFlakySourceAgain) {
  Gateway gateway;
  TestRows rows(6);
  rows.flaky = true;
  auto options = gateway.options();
  options.all = true;
  EXPECT_TRUE(run(rows, options).complete());
  EXPECT_EQ(gateway.requests(), 9);
}

TEST(Emulator, KeepsToARate) {
  Gateway gateway;
  TestRows rows(10);
  auto options = gateway.options();
  options.posts = 11;
  options.rate = 50;
  const EmulateCounts counts = run(rows, options);
  EXPECT_TRUE(counts.complete());
  EXPECT_GE(counts.seconds, 0.1);  // 0.2 s less what may be caught up; a slow machine makes it longer, never shorter
}

TEST(Emulator, RefusesNonsense) {
  TestRows rows(1), none(0);
  EmulateOptions options;
  options.records = {{"a", "a"}, {"b", "b"}};
  options.url = "127.0.0.1:8082";
  EXPECT_EQ(emulate(rows, options).error().code, Code::invalid);
  options.url = "http://127.0.0.1:1";
  EXPECT_THAT(emulate(none, options).error().message, HasSubstr("pinflow source"));
  options.connections = 0;
  EXPECT_EQ(emulate(rows, options).error().code, Code::invalid);
}

TEST(Emulator, ReportsProgress) {
  Gateway gateway;
  TestRows rows(5);
  auto options = gateway.options();
  options.all = true;
  int64_t last = 0;
  auto counts = emulate(rows, options, [&](const EmulateCounts& now) { last = now.acknowledged; });
  ASSERT_TRUE(counts);
  EXPECT_EQ(last, 8);
}

// The last test: a stop is for good in this process.
TEST(EmulatorZStop, DrainsAndCounts) {
  std::atomic<int> answered{0};
  Gateway gateway([&](int number, const RawServer::Got& got) -> RawServer::Reply {
    if (number == 20) request_stop();
    if (number == 22) return {};  // this one's answer never comes
    ++answered;
    return Gateway::stored(got);
  });
  TestRows rows(100);
  auto options = gateway.options();
  options.drain_ms = 200;
  const EmulateCounts counts = run(rows, options);  // endless, but for the stop
  EXPECT_TRUE(counts.stopped);
  EXPECT_FALSE(counts.failure);
  EXPECT_GE(counts.acknowledged, 20);
  EXPECT_EQ(counts.acknowledged, answered);
  EXPECT_EQ(counts.answers_lost, 1);
  EXPECT_EQ(counts.given_up, 1);
  EXPECT_EQ(counts.posted, counts.acknowledged + counts.given_up);
}

}  // namespace
}  // namespace pinflow::emulate
