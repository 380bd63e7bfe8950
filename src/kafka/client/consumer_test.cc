#include "kafka/client/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "kafka/client/mock_cluster_test.h"
#include "kafka/client/writer.h"

namespace pinflow::kafka {
namespace {

using namespace std::chrono_literals;
using testing::_;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr auto kPatience = 20s;  // a limit for what must come, never a measure

// One cluster for all tests, as closing one takes a second; each has topics and a group of its own.
class ConsumerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared = std::make_unique<MockCluster>(); }
  static void TearDownTestSuite() { shared.reset(); }
  static std::unique_ptr<MockCluster> shared;
  MockCluster& cluster = *shared;
};
std::unique_ptr<MockCluster> ConsumerTest::shared;

std::vector<Written> write(RdTopicWriter& writer, const std::string& topic, std::vector<NewRecord> records) {
  std::promise<std::vector<Written>> promise;
  writer.write(topic, std::move(records), [&](std::vector<Written> written) { promise.set_value(std::move(written)); });
  return promise.get_future().get();
}

std::vector<Written> write_values(const MockCluster& cluster, const std::string& topic, int count, int partition = 0) {
  auto writer = RdTopicWriter::open(cluster.config(), {});
  std::vector<NewRecord> records;
  for (int i = 0; i < count; ++i) records.push_back({{}, fmt::format("value {}", i), {}, partition});
  return write(**writer, topic, std::move(records));
}

struct Seen {
  std::vector<std::string> values;
  std::map<TopicPartition, int64_t> ends;
};

// Polls until `done` says so.
template <class Until>
Seen read(Consumer& consumer, Until done) {
  Seen seen;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!done(seen) && std::chrono::steady_clock::now() < until) {
    auto batch = consumer.poll(200ms);
    if (!batch) {
      ADD_FAILURE() << batch.error().message;
      break;
    }
    for (const Message& message : *batch) {
      if (message.end_of_partition) seen.ends[{std::string(message.topic), message.partition}] = message.offset;
      else seen.values.emplace_back(message.value.value_or("(null)"));
    }
  }
  return seen;
}

TEST_F(ConsumerTest, ReadsWhatWasWrittenByHand) {
  cluster.create_topic("t", 1);
  auto writer = RdTopicWriter::open(cluster.config(), {});
  ASSERT_TRUE(writer) << writer.error().message;
  std::vector<NewRecord> records;
  records.push_back({"k", "v", {{"h1", "x"}, {"h2", std::nullopt}}, 0});
  records.push_back({std::nullopt, std::nullopt, {}, 0});
  records.push_back({"", "", {}, 0});
  auto written = write(**writer, "t", std::move(records));
  ASSERT_EQ(written.size(), 3u);
  EXPECT_EQ(written[2].offset, 2);

  auto consumer = Consumer::open(cluster.config(), {});
  ASSERT_TRUE(consumer) << consumer.error().message;
  ASSERT_TRUE((*consumer)->assign({{{"t", 0}, 0}}));
  std::vector<std::string> lines;
  bool ended = false;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!ended && std::chrono::steady_clock::now() < until) {
    auto batch = (*consumer)->poll(200ms);
    ASSERT_TRUE(batch) << batch.error().message;
    for (const Message& one : *batch) {
      EXPECT_EQ(one.topic, "t");
      if (one.end_of_partition) {
        ended = true;
        EXPECT_EQ(one.offset, 3);
        continue;
      }
      EXPECT_GT(one.timestamp_ms, 0);
      std::string line = fmt::format("{} {}={}", one.offset, one.key.value_or("null"), one.value.value_or("null"));
      for (const HeaderView& header : one.headers)
        line += fmt::format(" {}:{}", header.name, header.value.value_or("null"));
      lines.push_back(line);
    }
  }
  EXPECT_THAT(lines, ElementsAre("0 k=v h1:x h2:null", "1 null=null", "2 ="));
  auto marks = (*consumer)->watermarks({"t", 0});
  ASSERT_TRUE(marks) << marks.error().message;
  EXPECT_EQ(marks->low, 0);
  EXPECT_EQ(marks->high, 3);
  auto uncommitted = (*consumer)->commit({{{"t", 0}, 3}});
  ASSERT_FALSE(uncommitted);
  EXPECT_EQ(uncommitted.error().code, Code::invalid);
}

void groups_commit_and_go_on(MockCluster& cluster) {
  cluster.create_topic("local.pin", 2);
  cluster.create_topic("local.geo", 1);
  cluster.create_topic("other", 1);
  write_values(cluster, "local.pin", 3, 1);
  write_values(cluster, "local.geo", 2);
  write_values(cluster, "other", 1);
  std::set<TopicPartition> assigned, revoked;
  const RebalanceCallbacks callbacks{
      [&](std::vector<PartitionOffset>& now) -> Result<> {
        for (const auto& one : now) {
          EXPECT_EQ(one.offset, kOffsetStored);
          assigned.insert(one.at);
        }
        return {};
      },
      [&](const std::vector<TopicPartition>& gone) { revoked.insert(gone.begin(), gone.end()); },
      {}};
  {
    auto consumer = Consumer::open(cluster.config(), {.group = "g1"});
    ASSERT_TRUE(consumer) << consumer.error().message;
    ASSERT_TRUE((*consumer)->subscribe_pattern("local\\.\\w+", callbacks));
    const Seen seen = read(**consumer, [](const Seen& s) { return s.values.size() == 5 && s.ends.size() == 3; });
    EXPECT_EQ(seen.values.size(), 5u);
    EXPECT_THAT(assigned, UnorderedElementsAre(TopicPartition{"local.pin", 0}, TopicPartition{"local.pin", 1},
                                               TopicPartition{"local.geo", 0}));
    EXPECT_EQ((*consumer)->assignment().size(), 3u);
    auto done = (*consumer)->commit({{{"local.pin", 1}, 2}, {{"local.geo", 0}, 2}});
    ASSERT_TRUE(done) << done.error().message;
    auto committed = (*consumer)->committed({{"local.geo", 0}, {"local.pin", 0}, {"local.pin", 1}});
    ASSERT_TRUE(committed) << committed.error().message;
    EXPECT_EQ((*committed)[0].offset, 2);
    EXPECT_EQ((*committed)[1].offset, kOffsetStored);
    EXPECT_EQ((*committed)[2].offset, 2);
    (*consumer)->close();
    EXPECT_EQ(revoked, assigned);
    auto closed = (*consumer)->poll(0ms);
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().code, Code::cancelled);
  }
  auto again = Consumer::open(cluster.config(), {.group = "g1"});
  ASSERT_TRUE((*again)->assign({{{"local.pin", 1}, kOffsetStored}, {{"local.geo", 0}, kOffsetStored}}));
  const Seen seen = read(**again, [](const Seen& s) { return s.ends.size() == 2; });
  EXPECT_THAT(seen.values, ElementsAre("value 2"));
}

void the_assigned_callback_chooses_the_start(MockCluster& cluster) {
  cluster.create_topic("t2", 1);
  write_values(cluster, "t2", 10);
  auto consumer = Consumer::open(cluster.config(), {.group = "g2"});
  auto start_at_seven = [](std::vector<PartitionOffset>& now) -> Result<> {
    for (auto& one : now) one.offset = 7;
    return {};
  };
  ASSERT_TRUE((*consumer)->subscribe({"t2"}, {start_at_seven, {}, {}}));
  Seen seen = read(**consumer, [](const Seen& s) { return s.ends.size() == 1; });
  EXPECT_THAT(seen.values, ElementsAre("value 7", "value 8", "value 9"));
  // On a busy machine the member may just have been expelled from its group: then it joins again, and may seek.
  Result<> sought = (*consumer)->seek({"t2", 0}, 8);
  for (int i = 0; !sought && i < 20; ++i) {
    read(**consumer, [](const Seen& s) { return s.ends.size() == 1; });
    sought = (*consumer)->seek({"t2", 0}, 8);
  }
  ASSERT_TRUE(sought) << sought.error().message;
  seen = read(**consumer, [](const Seen& s) { return s.ends.size() == 1; });
  EXPECT_THAT(seen.values, ElementsAre("value 8", "value 9"));
}

void an_error_of_the_assigned_callback_is_polls(MockCluster& cluster) {
  cluster.create_topic("t3", 1);
  auto consumer = Consumer::open(cluster.config(), {.group = "g3"});
  ASSERT_TRUE((*consumer)->subscribe(
      {"t3"}, {[](std::vector<PartitionOffset>&) -> Result<> { return corrupt("the lake is ahead"); }, {}, {}}));
  std::optional<Error> error;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!error && std::chrono::steady_clock::now() < until) {
    if (auto batch = (*consumer)->poll(200ms); !batch) error = batch.error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Code::corrupt);
  EXPECT_EQ(error->message, "the lake is ahead");
}

void two_members_share_the_partitions(MockCluster& cluster) {
  cluster.create_topic("t4", 2);
  auto first = Consumer::open(cluster.config(), {.group = "g4", .session_timeout_ms = 6000});
  auto second = Consumer::open(cluster.config(), {.group = "g4", .session_timeout_ms = 6000});
  ASSERT_TRUE((*first)->subscribe({"t4"}, {}));
  ASSERT_TRUE((*second)->subscribe({"t4"}, {}));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (((*first)->assignment().size() != 1 || (*second)->assignment().size() != 1) &&
         std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE((*first)->poll(50ms));
    ASSERT_TRUE((*second)->poll(50ms));
  }
  ASSERT_EQ((*first)->assignment().size(), 1u);
  ASSERT_EQ((*second)->assignment().size(), 1u);
  EXPECT_NE((*first)->assignment()[0], (*second)->assignment()[0]);
}

// Side by side, as the mock brokers let each group wait three seconds for further members.
TEST_F(ConsumerTest, Groups) {
  std::vector<std::thread> threads;
  for (const auto test : {groups_commit_and_go_on, the_assigned_callback_chooses_the_start,
                          an_error_of_the_assigned_callback_is_polls, two_members_share_the_partitions}) {
    threads.emplace_back([this, test] { test(cluster); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ConsumerTest, LostOffsetsAreAnErrorWhereNothingMayBeSkipped) {
  cluster.create_topic("t5", 1);
  write_values(cluster, "t5", 3);
  auto consumer = Consumer::open(cluster.config(), {.reset = Reset::none});
  ASSERT_TRUE((*consumer)->assign({{{"t5", 0}, 100}}));
  std::optional<Error> error;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!error && std::chrono::steady_clock::now() < until) {
    auto batch = (*consumer)->poll(200ms);
    if (!batch) error = batch.error();
    else EXPECT_TRUE(batch->empty() || batch->front().end_of_partition);
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Code::conflict) << error->message;
}

TEST_F(ConsumerTest, PausesAndResumes) {
  cluster.create_topic("t6", 2);
  auto consumer = Consumer::open(cluster.config(), {});
  ASSERT_TRUE((*consumer)->assign({{{"t6", 0}, 0}, {{"t6", 1}, 0}}));
  ASSERT_TRUE((*consumer)->pause({{"t6", 1}}));
  write_values(cluster, "t6", 2, 1);
  write_values(cluster, "t6", 3, 0);
  Seen seen = read(**consumer, [](const Seen& s) { return s.values.size() == 3; });
  EXPECT_EQ(seen.values.size(), 3u);
  ASSERT_TRUE((*consumer)->resume({{"t6", 1}}));
  seen = read(**consumer, [](const Seen& s) { return s.values.size() == 2; });
  EXPECT_EQ(seen.values.size(), 2u);
}

TEST_F(ConsumerTest, ListsTopics) {
  cluster.create_topic("b", 2);
  cluster.create_topic("a", 1);
  cluster.create_topic("__internal", 1);
  auto consumer = Consumer::open(cluster.config(), {});
  auto topics = (*consumer)->topics();
  ASSERT_TRUE(topics) << topics.error().message;
  EXPECT_THAT(*topics, AllOf(Contains(Pair("a", 1)), Contains(Pair("b", 2)), Not(Contains(Pair("__internal", _)))));
  EXPECT_TRUE(std::ranges::is_sorted(*topics));
  auto cluster_id = (*consumer)->cluster_id();
  ASSERT_TRUE(cluster_id);
  EXPECT_FALSE(cluster_id->empty());
}

}  // namespace
}  // namespace pinflow::kafka
