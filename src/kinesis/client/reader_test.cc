#include "kinesis/client/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <optional>

#include "base/clock.h"
#include "kinesis/client/scripted_service_test.h"

namespace pinflow::kinesis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<int64_t> numbers(int64_t from, int64_t to) {  // to - 1 is the last
  std::vector<int64_t> all(static_cast<size_t>(to - from));
  std::iota(all.begin(), all.end(), from);
  return all;
}

class ReaderTest : public testing::Test {
 protected:
  void start(ReaderOptions options = {}) {
    options.stream = "s";
    options.poll_ms = 1;
    auto started = Reader::start(service.endpoint(), options);
    ASSERT_TRUE(started) << started.error().message;
    reader = std::move(*started);
  }

  // Reads until `count` records and ends have come, or it fails. "0:1" is record 1 of shard 0, "0:end" its end.
  std::vector<std::string> read(size_t count, size_t at_once = 10'000) {
    std::vector<std::string> got;
    while (got.size() < count) {
      auto batch = reader->read({.records = at_once, .wait = std::chrono::seconds(20)});
      if (!batch) {
        failure = batch.error();
        return got;
      }
      if (batch->empty()) break;
      EXPECT_LE(batch->records, at_once);
      for (const RecordBlock& block : batch->blocks) {
        for (const ReadRecord& record : block.records) {
          EXPECT_EQ(record.data, fmt::format("d{}", record.sequence));
          got.push_back(fmt::format("{}:{}", block.shard, record.sequence));
        }
        if (block.ends_shard) got.push_back(block.shard + ":end");
      }
    }
    return got;
  }

  std::optional<Error> failure_of_reading() {
    while (!failure) {
      auto batch = reader->read({.wait = std::chrono::seconds(20)});
      if (!batch) failure = batch.error();
    }
    return failure;
  }

  ScriptedService service;
  std::unique_ptr<Reader> reader;
  std::optional<Error> failure;
};

TEST_F(ReaderTest, ReadsAllShardsInOrderAndGoesOn) {
  service.most_per_answer = 7;
  service.change([](auto& shards) {
    shards["0"].records = numbers(1, 51);
    shards["1"].records = numbers(1, 31);
  });
  start();
  const auto got = read(80, 11);
  ASSERT_EQ(got.size(), 80u);
  for (const char* shard : {"0", "1"}) {
    std::vector<std::string> of_it;
    for (const std::string& one : got)
      if (one.starts_with(shard)) of_it.push_back(one);
    for (size_t i = 0; i < of_it.size(); ++i) EXPECT_EQ(of_it[i], fmt::format("{}:{}", shard, i + 1));
  }
  service.change([](auto& shards) { shards["1"].records.push_back(99); });
  EXPECT_THAT(read(1), ElementsAre("1:99"));
  EXPECT_EQ(reader->identity(), (StreamIdentity{"arn:s", 1'795'246'905'500}));
}

TEST_F(ReaderTest, StartsChildrenWhenTheirParentsAreReleased) {
  service.change([](auto& shards) {
    shards["0"] = {.records = {1, 2}, .parent = "", .adjacent = "", .closed = true};
    shards["1"] = {.records = {3}, .parent = "", .adjacent = "", .closed = true};
    shards["2"] = {.records = {4}, .parent = "0", .adjacent = "1", .closed = false};
  });
  start();
  auto got = read(5);
  std::ranges::sort(got);
  EXPECT_THAT(got, ElementsAre("0:1", "0:2", "0:end", "1:3", "1:end"));
  EXPECT_EQ(reader->complete_ms(), 0);
  reader->release("0");
  const auto early = reader->read({.wait = std::chrono::milliseconds(100)});
  ASSERT_TRUE(early);
  EXPECT_TRUE(early->empty());
  reader->release("1");
  EXPECT_THAT(read(1), ElementsAre("2:4"));
  while (reader->complete_ms() == 0) (void)reader->read({.wait = std::chrono::milliseconds(5)});
}

TEST_F(ReaderTest, FollowsAReshard) {
  service.change([](auto& shards) { shards["0"].records = {1}; });
  ReaderOptions options;
  options.release_by_itself = true;
  start(options);
  EXPECT_THAT(read(1), ElementsAre("0:1"));
  service.change([](auto& shards) {
    shards["0"].closed = true;
    shards["1"] = {.records = {5}, .parent = "0", .adjacent = "", .closed = true};
    shards["2"] = {.records = {6}, .parent = "1", .adjacent = "", .closed = false};
  });
  EXPECT_THAT(read(4), ElementsAre("0:end", "1:5", "1:end", "2:6"));
}

TEST_F(ReaderTest, GoesOnWhereItWas) {
  service.change([](auto& shards) {
    shards["0"] = {.records = {1}, .parent = "", .adjacent = "", .closed = true};
    shards["1"] = {.records = numbers(1, 10), .parent = "0", .adjacent = "", .closed = false};
    shards["2"] = {.records = {3}, .parent = "0", .adjacent = "", .closed = false};
  });
  ReaderOptions options;
  options.progress["0"] = {.after = "1", .ended = true};
  options.progress["1"] = {.after = "7"};
  options.progress["9"] = {.after = "1", .ended = true};  // dropped by the service since
  start(options);
  auto got = read(3);
  std::ranges::sort(got);
  EXPECT_THAT(got, ElementsAre("1:8", "1:9", "2:3"));
}

TEST_F(ReaderTest, BeginsAtTheTip) {
  service.change([](auto& shards) {
    shards["0"] = {.records = {1}, .parent = "", .adjacent = "", .closed = true};
    shards["1"] = {.records = {2, 3}, .parent = "0", .adjacent = "", .closed = false};
  });
  ReaderOptions options;
  options.begin = ReaderOptions::Begin::latest;
  start(options);
  while (reader->complete_ms() == 0) EXPECT_TRUE(reader->read({.wait = std::chrono::milliseconds(5)})->empty());
  service.change([](auto& shards) { shards["1"].records.push_back(4); });
  EXPECT_THAT(read(1), ElementsAre("1:4"));
}

TEST_F(ReaderTest, RefusesAGap) {
  service.change([](auto& shards) { shards["0"].records = {20, 21}; });
  ReaderOptions options;
  options.progress["0"] = {.after = "10"};
  start(options);
  EXPECT_EQ(failure_of_reading()->code, Code::corrupt);
  EXPECT_THAT(failure->message, HasSubstr("shard 0 of stream s: a gap: the record 10 is not there any more"));
}

TEST_F(ReaderTest, TakesAGapInWhichNothingCanHaveBeen) {
  service.change([](auto& shards) { shards["0"].records = {20}; });
  ReaderOptions options;
  options.progress["0"] = {.after = "10", .ended = false, .complete_ms = now_ms() - 1000};
  start(options);
  EXPECT_THAT(read(1), ElementsAre("0:20"));
}

TEST_F(ReaderTest, RefusesAShardThatWasDroppedBeforeItsEnd) {
  service.change([](auto& shards) { shards["1"].records = {1}; });
  ReaderOptions options;
  options.stream = "s";
  options.progress["0"] = {.after = "10"};
  const auto started = Reader::start(service.endpoint(), options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::corrupt);
}

TEST_F(ReaderTest, RefusesAStreamMadeAnew) {
  service.change([](auto& shards) { shards["0"].records = {1}; });
  ReaderOptions options;
  options.stream = "s";
  options.identity = StreamIdentity{"arn:s", 1};
  const auto started = Reader::start(service.endpoint(), options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::conflict);

  options.identity.reset();
  options.list_every = std::chrono::milliseconds(20);
  start(options);
  service.set_created(1'795'246'906);
  EXPECT_EQ(failure_of_reading()->code, Code::conflict);
}

TEST_F(ReaderTest, RefusesNumbersThatDoNotRise) {
  service.forgets = true;
  service.change([](auto& shards) { shards["0"].records = {4, 5}; });
  start();
  EXPECT_EQ(failure_of_reading()->code, Code::conflict);
}

TEST_F(ReaderTest, SaysThatTheStreamIsGone) {
  service.change([](auto& shards) { shards["0"].records = {1}; });
  start();
  read(1);
  service.set_gone();
  EXPECT_EQ(failure_of_reading()->code, Code::not_found);
  const Error error = Reader::start(service.endpoint(), {.stream = "s"}).error();
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_THAT(error.message, HasSubstr("make it, as `pinflow streams --make-streams`"));
}

TEST_F(ReaderTest, RenewsExpiredIteratorsAndWaitsWhereItIsThrottled) {
  service.most_per_answer = 10;
  service.change([](auto& shards) { shards["0"].records = numbers(1, 101); });
  service.fault = [](const std::string& operation, int number) -> std::optional<ScriptedService::Fault> {
    if (operation != "GetRecords") return std::nullopt;
    if (number == 1) return ScriptedService::Fault{400, "ProvisionedThroughputExceededException"};
    if (number % 4 == 2) return ScriptedService::Fault{400, "ExpiredIteratorException"};
    if (number == 3) return ScriptedService::Fault{500, "InternalFailure"};
    if (number == 5) return ScriptedService::Fault{.type = "", .cut = true};
    return std::nullopt;
  };
  start();
  const auto got = read(100);
  ASSERT_EQ(got.size(), 100u);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], fmt::format("0:{}", i + 1));
}

TEST_F(ReaderTest, SaysWhyNothingComes) {
  service.change([](auto& shards) { shards["0"].records = {1}; });
  service.fault = [](const std::string& operation, int) -> std::optional<ScriptedService::Fault> {
    if (operation == "GetRecords") return ScriptedService::Fault{400, "ProvisionedThroughputExceededException", "slow"};
    return std::nullopt;
  };
  start();
  while (reader->trouble().empty()) EXPECT_TRUE(reader->read({.wait = std::chrono::milliseconds(5)})->empty());
  EXPECT_THAT(reader->trouble(), HasSubstr("throttled: slow"));
}

TEST_F(ReaderTest, EndsWhereItIsDenied) {
  service.change([](auto& shards) { shards["0"].records = {1}; });
  service.fault = [](const std::string& operation, int) -> std::optional<ScriptedService::Fault> {
    if (operation == "GetRecords") return ScriptedService::Fault{400, "AccessDeniedException"};
    return std::nullopt;
  };
  start();
  EXPECT_EQ(failure_of_reading()->code, Code::denied);
}

TEST_F(ReaderTest, HoldsNoMoreThanItMay) {
  service.most_per_answer = 100;
  service.change([](auto& shards) { shards["0"].records = numbers(1, 20'001); });
  ReaderOptions options;
  options.max_buffer_bytes = 1'000;
  start(options);
  while (service.asked("GetRecords") < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(service.asked("GetRecords"), 10);
  EXPECT_EQ(read(20'000, 500).size(), 20'000u);
}

TEST_F(ReaderTest, IsWoken) {
  service.change([](auto& shards) { shards["0"].records = {}; });
  start();
  std::thread other([&] { reader->wake(); });
  EXPECT_TRUE(reader->read({.wait = std::chrono::minutes(10)})->empty());
  other.join();
}

std::vector<std::string> range(ScriptedService& service, const ShardRange& range, Result<>& result) {
  std::vector<std::string> got;
  result = read_range(service.endpoint(), "s", range, [&](const RecordBlock& block) -> Result<> {
    for (const ReadRecord& record : block.records) got.emplace_back(record.sequence);
    return {};
  });
  return got;
}

TEST(ReadRange, GivesWhatIsBetween) {
  ScriptedService service;
  service.most_per_answer = 3;
  service.change([](auto& shards) {
    shards["0"].records = numbers(10, 30);
    shards["1"] = {.records = {1, 2}, .parent = "", .adjacent = "", .closed = true};
  });
  Result<> result;
  EXPECT_THAT(range(service, {"0", "12", "17"}, result), ElementsAre("13", "14", "15", "16", "17"));
  EXPECT_TRUE(result);
  EXPECT_THAT(range(service, {"0", "", "11"}, result), ElementsAre("10", "11"));
  EXPECT_TRUE(result);
  EXPECT_THAT(range(service, {"1", "1", ""}, result), ElementsAre("2"));
  EXPECT_TRUE(result);
  // `after` has been trimmed, but the first record of the range is known.
  EXPECT_THAT(range(service, {"0", "9", "11", "10"}, result), ElementsAre("10", "11"));
  EXPECT_TRUE(result);
  for (const ShardRange& gone : {ShardRange{"0", "9", "11"}, ShardRange{"0", "9", "11", "9"}, ShardRange{"1", "1", "3"},
                                 ShardRange{"7", "1", "2"}, ShardRange{"0", "12", ""}}) {
    range(service, gone, result);
    ASSERT_FALSE(result) << gone.shard << gone.after;
    EXPECT_EQ(result.error().code, Code::corrupt) << result.error().message;
  }
}

}  // namespace
}  // namespace pinflow::kinesis
