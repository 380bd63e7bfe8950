#include "kafka/broker/local_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "kafka/broker/partitioner.h"
#include "kafka/broker/testing.h"

namespace pinflow::kafka {
namespace {

using ::testing::ElementsAre;

class LocalWriterTest : public BrokerTest {
 protected:
  void open(TopicRules rules = {}) {
    start();
    writer_ = std::make_unique<LocalTopicWriter>(*log_, rules);
  }
  std::vector<Written> write(const std::string& topic, std::vector<NewRecord> records) {
    std::promise<std::vector<Written>> told;
    writer_->write(topic, std::move(records),
                   [&](std::vector<Written> written) { told.set_value(std::move(written)); });
    return told.get_future().get();
  }
  static NewRecord record(std::string value, std::optional<std::string> key = {}) {
    NewRecord record;
    record.key = std::move(key);
    record.value = std::move(value);
    return record;
  }
  std::vector<std::string> read(const std::string& topic, int32_t partition) {
    return values(log_->read(topic, partition, 0, 1 << 20).value());
  }

  std::unique_ptr<LocalTopicWriter> writer_;
};

TEST_F(LocalWriterTest, WritesOneRecordWithAllItsParts) {
  open();
  NewRecord whole = record("value", "key");
  whole.headers = {{"h", "1"}, {"none", std::nullopt}};
  const auto written = write("pin", {whole});
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].error, KafkaError::none) << written[0].message;
  EXPECT_EQ(written[0].partition, 0);
  EXPECT_EQ(written[0].offset, 0);
  const std::string batch = log_->read("pin", 0, 0, 1000).value();
  const auto records = log::read_records(batch).value();
  EXPECT_EQ(records.at(0).key, "key");
  EXPECT_EQ(records.at(0).value, "value");
  ASSERT_EQ(records.at(0).headers.size(), 2u);
  EXPECT_EQ(records.at(0).headers[1].second, std::nullopt);
  EXPECT_EQ(write("pin", {NewRecord{}})[0].offset, 1) << "a null value is a record too";
  EXPECT_TRUE(write("pin", {}).empty());
}

TEST_F(LocalWriterTest, OneCallsRecordsForAPartitionAreOneBatchInTheirOrder) {
  open({.default_partitions = 3});
  const auto written = write("pin", {record("a"), record("b"), record("c")});
  const int32_t partition = written.at(0).partition;
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(written.at(i).partition, partition);
    EXPECT_EQ(written.at(i).offset, i);
  }
  EXPECT_THAT(read("pin", partition), ElementsAre("a", "b", "c"));
  const std::string batch = log_->read("pin", partition, 0, 1000).value();
  EXPECT_EQ(log::read_batch_header(batch)->record_count, 3);
  EXPECT_NE(write("pin", {record("d")}).at(0).partition, partition) << "the next call's go elsewhere";
}

TEST_F(LocalWriterTest, KeysAndCallersChoosePartitions) {
  open({.default_partitions = 5});
  std::vector<NewRecord> records;
  for (int i = 0; i < 20; ++i) records.push_back(record(std::to_string(i), "key" + std::to_string(i)));
  records.push_back(record("chosen"));
  records.back().partition = 4;
  const auto written = write("pin", records);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(written[i].partition, partition_of_key(*records[i].key, 5));
  EXPECT_EQ(written[20].partition, 4);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(read("pin", written[i].partition).at(static_cast<size_t>(written[i].offset)), records[i].value);
  }
}

TEST_F(LocalWriterTest, OneBadRecordDoesNotStopTheOthers) {
  open({.max_message_bytes = 1000});
  auto records = std::vector{record("a"), record(std::string(2000, 'x')), record("b"), record("c")};
  records[3].partition = 9;
  const auto written = write("pin", records);
  EXPECT_EQ(written[0].offset, 0);
  EXPECT_EQ(written[1].error, KafkaError::message_too_large);
  EXPECT_NE(written[1].message.find("1000"), std::string::npos);
  EXPECT_EQ(written[2].offset, 1);
  EXPECT_EQ(written[3].error, KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(write("pin", {records[1]}).at(0).error, KafkaError::message_too_large);
  EXPECT_EQ(write("pin", {records[3]}).at(0).error, KafkaError::unknown_topic_or_partition);
}

TEST_F(LocalWriterTest, ManyRecordsBecomeBatchesThatTheTopicTakes) {
  open({.max_message_bytes = 1000});
  std::vector<NewRecord> records;
  for (int i = 0; i < 50; ++i) records.push_back(record(std::to_string(i) + std::string(100, 'x')));
  const auto written = write("pin", records);
  for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(written.at(i).offset, i) << written.at(i).message;
  std::string all = log_->read("pin", 0, 0, 1 << 20).value();
  for (std::string_view rest = all; !rest.empty();) {
    const auto bytes = log::read_batch_header(rest)->bytes();
    EXPECT_LE(bytes, 1000);
    rest.remove_prefix(static_cast<size_t>(bytes));
  }
}

TEST_F(LocalWriterTest, TopicsAreMadeOnFirstUseWhereThatIsAllowed) {
  open({.auto_create = false});
  EXPECT_EQ(write("pin", {record("a")}).at(0).error, KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(write("pin", {record("a"), record("b")}).at(1).error, KafkaError::unknown_topic_or_partition);
  make_topic("pin");
  EXPECT_EQ(write("pin", {record("a")}).at(0).error, KafkaError::none);
  open();
  EXPECT_EQ(write("bad name", {record("a")}).at(0).error, KafkaError::invalid_topic);
}

TEST_F(LocalWriterTest, ListsAndDescribesTopics) {
  open();
  make_topic("pin", 2);
  make_topic("geo");
  make_topic("__inside");
  EXPECT_THAT(writer_->list_topics().value(), ElementsAre("geo", "pin"));
  const auto info = writer_->describe_topic("pin").value();
  EXPECT_EQ(info.partitions.size(), 2u);
  EXPECT_EQ(info.partitions[1].leader, kNodeId);
  EXPECT_TRUE(std::ranges::is_sorted(info.configs));
  EXPECT_EQ(writer_->describe_topic("nowhere").error().error, KafkaError::unknown_topic_or_partition);
}

TEST_F(LocalWriterTest, AFullQueueIsToldAsAThrottle) {
  log_options_.pending_bytes = 1;
  open();
  // The first is taken; those that follow before it is on the disk find no room.
  std::atomic<int> left = 1000;
  std::atomic<int> throttled = 0;
  std::promise<void> all;
  for (int i = 0; i < 1000; ++i) {
    writer_->write("pin", {record("x")}, [&](std::vector<Written> written) {
      if (written.at(0).error == KafkaError::throttling_quota_exceeded) ++throttled;
      else EXPECT_EQ(written.at(0).error, KafkaError::none) << written.at(0).message;
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_GT(throttled, 0);
  EXPECT_EQ(log_->offsets("pin", 0)->end, 1000 - throttled);
}

}  // namespace
}  // namespace pinflow::kafka
