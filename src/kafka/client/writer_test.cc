#include "kafka/client/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>

#include "kafka/client/mock_cluster_test.h"

namespace pinflow::kafka {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

// One cluster for all tests, as closing one takes a second; each has a topic of its own.
class WriterTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared = std::make_unique<MockCluster>(); }
  static void TearDownTestSuite() { shared.reset(); }
  static std::unique_ptr<MockCluster> shared;
  MockCluster& cluster = *shared;
};
std::unique_ptr<MockCluster> WriterTest::shared;

constexpr int16_t kProduce = 0;  // the protocol's number of that request

std::future<std::vector<Written>> write(TopicWriter& writer, const std::string& topic, std::vector<NewRecord> records) {
  auto promise = std::make_shared<std::promise<std::vector<Written>>>();
  writer.write(topic, std::move(records),
               [promise](std::vector<Written> written) { promise->set_value(std::move(written)); });
  return promise->get_future();
}

NewRecord value(std::string text) { return {{}, std::move(text), {}, {}}; }

TEST_F(WriterTest, TellsWhereEachRecordIs) {
  cluster.create_topic("t0", 3);
  auto writer = RdTopicWriter::open(cluster.config(), {});
  ASSERT_TRUE(writer) << writer.error().message;
  auto written = write(**writer, "t0", {{{}, "a", {}, 2}, {{}, "b", {}, 2}, {{}, "c", {}, 0}}).get();
  ASSERT_EQ(written.size(), 3u);
  for (const Written& one : written) EXPECT_EQ(one.error, KafkaError::none) << one.message;
  EXPECT_EQ(written[0].partition, 2);
  EXPECT_EQ(written[1].partition, 2);
  EXPECT_EQ(written[1].offset, written[0].offset + 1);
  EXPECT_EQ(written[2].partition, 0);
  EXPECT_TRUE(write(**writer, "t0", {}).get().empty());
}

// Java's murmur2 of these keys, mod 7 after the sign bit is cleared; from Kafka's Utils.murmur2 test vectors
// ("21" -> -973932308, "foobar" -> -790332482, "a-little-bit-long-string" -> -985981536).
TEST_F(WriterTest, KeysChooseThePartitionAsInJava) {
  cluster.create_topic("t1", 7);
  auto writer = RdTopicWriter::open(cluster.config(), {});
  auto written =
      write(**writer, "t1", {{"21", "a", {}, {}}, {"foobar", "b", {}, {}}, {"a-little-bit-long-string", "c", {}, {}}})
          .get();
  EXPECT_EQ(written[0].partition, (-973932308 & 0x7fffffff) % 7);
  EXPECT_EQ(written[1].partition, (-790332482 & 0x7fffffff) % 7);
  EXPECT_EQ(written[2].partition, (-985981536 & 0x7fffffff) % 7);
}

TEST_F(WriterTest, RefusesOneRecordAndKeepsTheOthers) {
  cluster.create_topic("t2", 1);
  auto writer = RdTopicWriter::open(cluster.config(), {.max_message_bytes = 2000});
  auto written = write(**writer, "t2", {value("a"), value(std::string(5000, 'x')), value("b")}).get();
  EXPECT_EQ(written[0].error, KafkaError::none);
  EXPECT_EQ(written[1].error, KafkaError::message_too_large);
  EXPECT_FALSE(written[1].message.empty());
  EXPECT_EQ(written[2].error, KafkaError::none);
  EXPECT_EQ(written[2].offset, 1);
}

TEST_F(WriterTest, AFullQueueThrottles) {
  cluster.create_topic("t3", 1);
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  auto writer = RdTopicWriter::open(cluster.config(),
                                    {.queue_messages = 10, .delivery_timeout_ms = 20'000, .close_timeout_ms = 0});
  std::vector<std::future<std::vector<Written>>> waiting;
  for (int i = 0; i < 15; ++i) waiting.push_back(write(**writer, "t3", {value("a")}));
  int throttled = 0;
  for (auto& one : waiting) {
    if (one.wait_for(std::chrono::seconds(0)) != std::future_status::ready) continue;
    EXPECT_EQ(one.get()[0].error, KafkaError::throttling_quota_exceeded);
    ++throttled;
  }
  EXPECT_EQ(throttled, 5);
  writer->reset();  // every record is answered
  rd_kafka_mock_broker_set_up(cluster.get(), 1);
  int failed = 0;
  for (auto& one : waiting) {
    if (!one.valid()) continue;
    ASSERT_EQ(one.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_NE(one.get()[0].error, KafkaError::none);
    ++failed;
  }
  EXPECT_EQ(failed, 10);
}

TEST_F(WriterTest, RetriesPassingErrorsInOrder) {
  cluster.create_topic("t4", 1);
  rd_kafka_mock_push_request_errors(cluster.get(), kProduce, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  auto writer = RdTopicWriter::open(cluster.config(), {});
  auto written = write(**writer, "t4", {value("a"), value("b"), value("c")}).get();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(written[static_cast<size_t>(i)].error, KafkaError::none) << written[static_cast<size_t>(i)].message;
    EXPECT_EQ(written[static_cast<size_t>(i)].offset, i);
  }
}

TEST_F(WriterTest, HandsTheBrokersErrorOn) {
  cluster.create_topic("t5", 1);
  rd_kafka_mock_push_request_errors(cluster.get(), kProduce, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  auto writer = RdTopicWriter::open(cluster.config(), {});
  auto written = write(**writer, "t5", {value("a")}).get();
  EXPECT_EQ(written[0].error, KafkaError::topic_authorization_failed);
  EXPECT_EQ(written[0].offset, -1);
}

TEST_F(WriterTest, GoesOnAfterAFatalError) {
  cluster.create_topic("t6", 1);
  auto writer = RdTopicWriter::open(cluster.config(), {});
  ASSERT_EQ(write(**writer, "t6", {value("a")}).get()[0].error, KafkaError::none);
  // To an idempotent producer these two in a row mean that the broker has lost its state.
  rd_kafka_mock_push_request_errors(cluster.get(), kProduce, 1, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING);
  KafkaError last = KafkaError::unknown_server_error;
  for (int i = 0; i < 50 && last != KafkaError::none; ++i) last = write(**writer, "t6", {value("b")}).get()[0].error;
  EXPECT_EQ(last, KafkaError::none);
}

TEST_F(WriterTest, ListsAndDescribesWithoutCreating) {
  cluster.create_topic("b", 2);
  cluster.create_topic("a", 1);
  cluster.create_topic("__offsets", 1);
  // The mock brokers know nothing of configs: the partitions come without them.
  auto writer = RdTopicWriter::open(cluster.config(), {.answer_timeout_ms = 300});
  auto names = (*writer)->list_topics();
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_THAT(*names, AllOf(Contains("a"), Contains("b"), Not(Contains("__offsets"))));
  EXPECT_TRUE(std::ranges::is_sorted(*names));
  auto info = (*writer)->describe_topic("b");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, "b");
  ASSERT_EQ(info->partitions.size(), 2u);
  EXPECT_EQ(info->partitions[1].partition, 1);
  EXPECT_EQ(info->partitions[1].leader, 1);
  EXPECT_THAT(info->partitions[1].replicas, ElementsAre(1));
  auto missing = (*writer)->describe_topic("none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().error, KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(*(*writer)->list_topics(), *names);
}

TEST_F(WriterTest, AnswersEveryoneWhenClosed) {
  cluster.create_topic("t8", 1);
  std::atomic<int> answered{0};
  {
    auto writer = RdTopicWriter::open(cluster.config(), {.linger_ms = 50});
    for (int i = 0; i < 1000; ++i) {
      (*writer)->write("t8", {value("x")}, [&](std::vector<Written> written) {
        if (written[0].error == KafkaError::none) ++answered;
      });
    }
  }
  EXPECT_EQ(answered, 1000);
}

}  // namespace
}  // namespace pinflow::kafka
