// Posting to streams, alone or with topics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "emulate/emulator.h"
#include "http/raw_server_test.h"

namespace pinflow::emulate {
namespace {

using http::RawServer;
using testing::HasSubstr;

class TwoRows final : public RowSource {
 public:
  Result<int64_t> count() override { return 4; }
  Result<std::vector<std::string>> post(int64_t n) override {
    return std::vector<std::string>{fmt::format(R"({{"index":{}}})", n), fmt::format(R"({{"ind":{}}})", n)};
  }
};

// What was put where, by target; answers as Kinesis and the REST proxy do.
struct Front {
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> bodies;
  int throttled = 0;  // the first so many puts
  RawServer server{[this](const RawServer::Got& got) {
    const std::lock_guard lock(mutex);
    const std::string what = got.head.substr(0, got.head.find(' ')) + " " + got.target();
    if (what.starts_with("POST")) {
      bodies[what].push_back(got.body);
      return RawServer::Reply{RawServer::response(200, R"({"offsets":[{"partition":0,"offset":1}]})"), false};
    }
    EXPECT_THAT(got.head, HasSubstr("Content-Type: application/json"));
    if (throttled-- > 0)
      return RawServer::Reply{
          RawServer::response(400, R"({"__type":"ProvisionedThroughputExceededException","message":"slow"})"), false};
    bodies[what].push_back(got.body);
    return RawServer::Reply{RawServer::response(200, R"({"SequenceNumber":"1","ShardId":"s"})"), false};
  }};

  EmulateOptions options() const {
    EmulateOptions options;
    options.url = server.url("/prod");
    options.records = {{"a", "x.a", "streaming-a", "", "index"}, {"b", "x.b", "one-stream", "b_data", "ind"}};
    options.all = true;
    options.connections = 2;
    return options;
  }
};

TEST(StreamEmulator, PutsIntoStreamsAloneOrWithTheTopics) {
  TwoRows rows;
  Front front;
  auto options = front.options();
  options.legs = {.batch = false, .stream = true};
  auto counts = emulate(rows, options);
  ASSERT_TRUE(counts);
  EXPECT_TRUE(counts->complete());
  EXPECT_EQ(counts->acknowledged, 8);
  EXPECT_EQ(counts->stream.acknowledged, 8);
  EXPECT_EQ(counts->batch.posted, 0);
  EXPECT_THAT(front.bodies["PUT /prod/streams/streaming-a/record"],
              testing::Contains(R"({"StreamName":"streaming-a","Data":{"index":3},"PartitionKey":"3"})"));
  EXPECT_THAT(front.bodies["PUT /prod/streams/one-stream/record"],
              testing::Contains(R"({"StreamName":"one-stream","Data":{"ind":3},"PartitionKey":"b_data"})"));
  EXPECT_EQ(front.bodies.size(), 2u);

  options.legs = {.batch = true, .stream = true};
  counts = emulate(rows, options);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->acknowledged, 16);
  EXPECT_EQ(counts->batch.acknowledged_by_type, (std::vector<int64_t>{4, 4}));
  EXPECT_EQ(counts->stream.acknowledged_by_type, (std::vector<int64_t>{4, 4}));
  EXPECT_EQ(front.bodies["POST /prod/topics/x.b"].size(), 4u);
}

TEST(StreamEmulator, TriesThrottledRecordsAgain) {
  TwoRows rows;
  Front front;
  front.throttled = 5;
  auto options = front.options();
  options.legs = {.batch = false, .stream = true};
  const auto counts = emulate(rows, options);
  ASSERT_TRUE(counts);
  EXPECT_TRUE(counts->complete());
  EXPECT_EQ(counts->stream.retries, 5);
  EXPECT_EQ(counts->stream.answers_lost, 0);
}

}  // namespace
}  // namespace pinflow::emulate
