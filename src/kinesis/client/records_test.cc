#include "kinesis/client/records.h"

#include <gtest/gtest.h>

#include "kinesis/api/sequence.h"
#include "kinesis/client/position.h"

namespace pinflow::kinesis {
namespace {

TEST(Records, ReadsAnAnswer) {
  auto answer = parse_get_records(
      R"({"MillisBehindLatest":1500,"NextShardIterator":"AAAA\/=","Records":[)"
      R"({"ApproximateArrivalTimestamp":1795246905.123,"Data":"eyJhIjoxfQ==","PartitionKey":"k\u00e9","SequenceNumber":"49"},)"
      R"({"SequenceNumber":"50","Data":"","PartitionKey":"","EncryptionType":"NONE"}],"ChildShards":[{"ShardId":"x"}]})");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->next_iterator, "AAAA/=");
  EXPECT_EQ(answer->behind_ms, 1500);
  EXPECT_TRUE(answer->behind_known);
  ASSERT_EQ(answer->block.records.size(), 2u);
  EXPECT_EQ(answer->block.records[0].data, R"({"a":1})");
  EXPECT_EQ(answer->block.records[0].partition_key, "ké");
  EXPECT_EQ(answer->block.records[0].sequence, "49");
  EXPECT_EQ(answer->block.records[0].arrived_ms, 1795246905123);
  EXPECT_EQ(answer->block.records[1].data, "");
  EXPECT_EQ(answer->block.bytes, 10u);
}

TEST(Records, KnowsTheEndOfAShard) {
  for (const char* end : {R"({"Records":[],"NextShardIterator":null,"MillisBehindLatest":0})", R"({"Records":[]})"}) {
    const auto answer = parse_get_records(end);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->next_iterator, "");
  }
  EXPECT_FALSE(parse_get_records(R"({"Records":[]})")->behind_known);
}

TEST(Records, RefusesWhatIsNoAnswer) {
  for (const char* body : {"", "[]", "{}", "{\"Records\":1}", R"({"Records":[{"Data":"e30=","PartitionKey":"k"}]})",
                           R"({"Records":[{"SequenceNumber":"1","PartitionKey":"k"}]})",
                           R"({"Records":[{"SequenceNumber":"x1","Data":"e30=","PartitionKey":"k"}]})",
                           R"({"Records":[{"SequenceNumber":"1","Data":"e30","PartitionKey":"k"}]})",
                           R"({"Records":[{"SequenceNumber":"1",)"}) {
    const auto answer = parse_get_records(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().code, Code::corrupt);
  }
}

TEST(Records, ComparesSequenceNumbersAsIntegersOfAnyLength) {
  const std::string long_one(128, '9'), longer = "1" + std::string(128, '0');
  EXPECT_TRUE(compare_sequences(long_one, longer) < 0);
  EXPECT_TRUE(compare_sequences("10", "9") > 0);
  EXPECT_TRUE(compare_sequences("0010", "10") == 0);
  EXPECT_TRUE(compare_sequences("", "1") < 0);
  EXPECT_TRUE(compare_sequences("21", "22") < 0);
}

RecordBlock block_of(std::initializer_list<const char*> sequences) {
  RecordBlock block;
  for (const char* sequence : sequences) block.records.push_back({.sequence = sequence, .data = "d"});
  block.bytes = block.records.size();
  return block;
}

TEST(Position, IsFoundByItsRecord) {
  const Position after{.kind = Position::Kind::after, .sequence = "5"};
  auto block = block_of({"5", "6"});
  EXPECT_TRUE(*settle_position(after, block, false, 0));
  ASSERT_EQ(block.records.size(), 1u);
  EXPECT_EQ(block.records[0].sequence, "6");
  EXPECT_EQ(block.bytes, 1u);
  block = block_of({});
  EXPECT_FALSE(*settle_position(after, block, false, 0));  // nothing came yet
  block = block_of({"5"});
  EXPECT_TRUE(*settle_position({.kind = Position::Kind::at, .sequence = "5"}, block, true, 0));
  EXPECT_EQ(block.records.size(), 1u);
}

TEST(Position, TellsAGap) {
  const Position after{.kind = Position::Kind::after, .sequence = "5"};
  auto block = block_of({"7"});
  auto settled = settle_position(after, block, false, 0);
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().code, Code::corrupt);
  EXPECT_NE(settled.error().message.find("the record 5 is not there"), std::string::npos);
  block = block_of({});
  EXPECT_FALSE(settle_position(after, block, true, 0));
  // It was at the tip when what has been trimmed since had arrived.
  const Position complete{.kind = Position::Kind::after, .sequence = "5", .complete_ms = 100};
  EXPECT_TRUE(*settle_position(complete, block, true, 100));
  EXPECT_FALSE(settle_position(complete, block, true, 101));
}

TEST(Position, KnowsNeighboursByTheirNumbers) {
  const SequenceNumber number{
      .shard_created_s = 1'795'246'907, .index = 41, .mark = 3, .time_s = 1'795'246'990, .shard = 2};
  SequenceNumber next = number;
  next.index = 42;
  next.time_s += 100'000;
  EXPECT_TRUE(are_neighbours(text_of(number), text_of(next)));
  next.index = 43;
  EXPECT_FALSE(are_neighbours(text_of(number), text_of(next)));
  next.index = 42;
  next.mark = 4;
  EXPECT_FALSE(are_neighbours(text_of(number), text_of(next)));
  EXPECT_FALSE(are_neighbours("5", "6"));
}

}  // namespace
}  // namespace pinflow::kinesis
