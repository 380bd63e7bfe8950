#include <gtest/gtest.h>

#include <algorithm>

#include "kinesis/api/hash_key.h"
#include "kinesis/api/operations.h"
#include "kinesis/api/sequence.h"
#include "kinesis/api/stream.h"
#include "kinesis/api/token.h"

namespace pinflow::kinesis {
namespace {

std::string message_of(std::string_view operation, std::string_view body) {
  const OperationShape* shape = find_operation("Kinesis_20131202." + std::string(operation));
  EXPECT_NE(shape, nullptr);
  auto document = parse_json(body);
  EXPECT_TRUE(document);
  const auto checked = check(document->root, shape->fields);
  return checked ? "" : checked.error().type + ": " + checked.error().message;
}

Stream stream_of(int32_t shards) {
  Stream stream{"s", "00ff", 1'700'000'000'000};
  for (const HashKeyRange& range : uniform_ranges(shards)) stream.shards.push_back({range, -1, -1, stream.created_ms});
  return stream;
}

// The open shards cover every key once.
void expect_whole(const Stream& stream) {
  std::vector<HashKeyRange> ranges;
  for (const Shard& shard : stream.shards) {
    if (shard.open()) ranges.push_back(shard.range);
  }
  std::ranges::sort(ranges, {}, &HashKeyRange::first);
  ASSERT_FALSE(ranges.empty());
  EXPECT_TRUE(ranges.front().first == 0 && ranges.back().last == kLastHashKey);
  for (size_t i = 1; i < ranges.size(); ++i) EXPECT_TRUE(ranges[i].first == ranges[i - 1].last + 1);
}

TEST(HashKeys, AreTheMd5OfThePartitionKey) {
  EXPECT_EQ(text_of(hash_key_of("a")), "16955237001963240173058271559858726497");  // md5("a"), 0cc175b9…
  EXPECT_EQ(text_of(*parse_hash_key("340282366920938463463374607431768211455")),
            "340282366920938463463374607431768211455");
  EXPECT_FALSE(parse_hash_key("340282366920938463463374607431768211456"));
  EXPECT_FALSE(parse_hash_key("01"));
  EXPECT_FALSE(parse_hash_key(""));
  EXPECT_EQ(text_of(*parse_hash_key("0")), "0");
}

TEST(HashKeys, RangesAreUniform) {
  EXPECT_EQ(text_of(uniform_ranges(2)[1].first), "170141183460469231731687303715884105728");
  EXPECT_EQ(text_of(uniform_ranges(3)[1].first), "113427455640312821154458202477256070485");
  EXPECT_EQ(text_of(uniform_ranges(3)[2].last), "340282366920938463463374607431768211455");
  for (const int32_t count : {1, 2, 3, 5, 7, 64, 1000}) expect_whole(stream_of(count));
}

TEST(SequenceNumbers, AreOrderedAndReadBack) {
  std::string before;
  for (const int64_t index : {int64_t{0}, int64_t{1}, int64_t{255}, int64_t{1} << 40, kLastIndex}) {
    const SequenceNumber number{1'700'000'000, index, 0xAB, 1'700'000'123, 19};
    const std::string text = text_of(number);
    EXPECT_EQ(text.size(), 56u);
    EXPECT_LT(before, text);
    EXPECT_EQ(parse_sequence_number(text), number);
    before = text;
  }
  EXPECT_FALSE(parse_sequence_number("1"));
  EXPECT_FALSE(parse_sequence_number(std::string(56, '9')));
}

TEST(SequenceNumbers, HaveTheLayoutThatIsKnown) {
  // 2 | 06553f100 | 3 | 0000000000000001 | 00 | 06553f101 | 00000003 | 2, as one number.
  EXPECT_EQ(text_of(SequenceNumber{0x6553f100, 1, 0, 0x6553f101, 3}),
            "49646437577175378652512468275251745506222989458687393842");
}

TEST(Tokens, AreSealedAndExpire) {
  const TokenSeal seal(std::string(32, 'k')), other(std::string(32, 'o'));
  const std::string text = seal.seal(ShardIterator{"pins", "00ff", 3, 42, 1000});
  EXPECT_LE(text.size(), 512u);
  const auto opened = seal.open_iterator(text, 1000 + kTokenMs);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->stream, "pins");
  EXPECT_EQ(opened->shard, 3);
  EXPECT_EQ(opened->offset, 42);
  EXPECT_EQ(seal.open_iterator(text, 1001 + kTokenMs).error(), TokenProblem::expired);
  EXPECT_EQ(other.open_iterator(text, 1000).error(), TokenProblem::invalid);
  EXPECT_EQ(seal.open_iterator("AAAA", 1000).error(), TokenProblem::invalid);
  EXPECT_EQ(seal.open_next(text, 1000).error(), TokenProblem::invalid);
  const std::string page = seal.seal(NextToken{'s', "pins", "00ff", "shardId-000000000001", "", 1000});
  EXPECT_EQ(seal.open_next(page, 2000)->after, "shardId-000000000001");
  EXPECT_EQ(seal.open_iterator(page, 2000).error(), TokenProblem::invalid);
}

TEST(Tokens, OfTheLongestNameFitTheModelsBound) {
  const TokenSeal seal(std::string(32, 'k'));
  EXPECT_LE(seal.seal(ShardIterator{std::string(128, 'n'), std::string(32, 'f'), 9999, INT64_MAX, INT64_MAX}).size(),
            512u);
}

TEST(Checks, AreInAwssWords) {
  EXPECT_EQ(message_of("PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":"e30="})"), "");
  EXPECT_EQ(message_of("PutRecord", R"({"StreamName":"s!","Data":"e30="})"),
            "ValidationException: 2 validation errors detected: Value null at 'partitionKey' failed to satisfy "
            "constraint: Member must not be null; Value 's!' at 'streamName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  EXPECT_EQ(message_of("CreateStream", R"({"StreamName":"s","ShardCount":0})"),
            "ValidationException: 1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1");
  EXPECT_EQ(message_of("PutRecord", R"({"StreamName":7})"),
            "SerializationException: class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be "
            "converted to an String");
  EXPECT_EQ(message_of("PutRecords", R"({"StreamName":"s","Records":[{"Data":"e30="}]})"),
            "ValidationException: 1 validation error detected: Value null at 'records.1.member.partitionKey' failed to "
            "satisfy constraint: Member must not be null");
  EXPECT_EQ(message_of("GetShardIterator", R"({"StreamName":"s","ShardId":"x","ShardIteratorType":"NOW"})"),
            "ValidationException: 1 validation error detected: Value 'NOW' at 'shardIteratorType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, "
            "LATEST, AT_TIMESTAMP]");
  EXPECT_EQ(message_of("DescribeStream", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"})"), "");
  EXPECT_NE(message_of("DescribeStream", R"({"StreamARN":"arn:aws:kinesis:stream/s"})"), "");
  EXPECT_NE(message_of("PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":"e30"})"), "");
}

TEST(Checks, MoreThanTenErrorsAreNotTold) {
  std::string records;
  for (int i = 0; i < 20; ++i) records += std::string(i > 0 ? "," : "") + "{}";
  const std::string message = message_of("PutRecords", R"({"StreamName":"s","Records":[)" + records + "]}");
  EXPECT_TRUE(message.starts_with("ValidationException: 10 validation errors detected: ")) << message;
}

TEST(Json, OfNoObjectIsNone) {
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("[]"));
  EXPECT_FALSE(parse_json("{"));
  std::string deep(100, '[');
  EXPECT_FALSE(parse_json(R"({"a":)" + deep + std::string(100, ']') + "}"));
}

TEST(Json, OfTooManyValuesIsNone) {
  const auto list_of = [](int64_t count) {
    std::string body = R"({"a":[0)";
    for (int64_t i = 1; i < count; ++i) body += ",0";
    return body + "]}";
  };
  EXPECT_EQ(parse_json(list_of(kMaxValues - 2))->root.find("a")->items.size(), static_cast<size_t>(kMaxValues - 2));
  EXPECT_FALSE(parse_json(list_of(kMaxValues - 1)));
  EXPECT_FALSE(parse_json(list_of(8'000'000)));
}

TEST(Shards, AreSplitAndMerged) {
  const auto split_once = split(stream_of(1), 0, HashKey{1} << 127, 5, "0");
  ASSERT_TRUE(split_once);
  EXPECT_EQ(split_once->shards.size(), 3u);
  EXPECT_EQ(split_once->shards[0].closed_ms, 5);
  EXPECT_EQ(split_once->shards[2].parent, 0);
  EXPECT_EQ(children_of(*split_once, 0), (std::vector<int32_t>{1, 2}));
  expect_whole(*split_once);
  const auto merged = merge(*split_once, 2, 1, 6, "0");
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->shards[3].parent, 2);
  EXPECT_EQ(merged->shards[3].adjacent, 1);
  expect_whole(*merged);
  EXPECT_EQ(split(*merged, 0, 100, 7, "0").error().type, "InvalidArgumentException");
  EXPECT_EQ(split(*merged, 9, 100, 7, "0").error().type, "ResourceNotFoundException");
  EXPECT_EQ(split(stream_of(1), 0, 1, 7, "0").error().type, "InvalidArgumentException");
  EXPECT_EQ(split(stream_of(1), 0, kLastHashKey, 7, "0").error().type, "InvalidArgumentException");
  EXPECT_EQ(merge(stream_of(3), 0, 2, 7, "0").error().type, "InvalidArgumentException");
  EXPECT_EQ(merge(stream_of(3), 0, 0, 7, "0").error().type, "InvalidArgumentException");
}

TEST(Shards, AreResizedToUniformRanges) {
  for (const auto& [from, to] :
       std::vector<std::pair<int, int>>{{1, 2}, {2, 3}, {3, 6}, {6, 5}, {5, 7}, {4, 2}, {7, 4}}) {
    const auto resized = resize(stream_of(from), to, 9, "0");
    ASSERT_TRUE(resized);
    EXPECT_EQ(open_shards(*resized), to);
    expect_whole(*resized);
    for (const HashKeyRange& range : uniform_ranges(to)) {
      EXPECT_TRUE(resized->shards[static_cast<size_t>(shard_for(*resized, range.first))].range == range);
    }
    for (const Shard& shard : resized->shards) EXPECT_LT(shard.parent, static_cast<int32_t>(resized->shards.size()));
  }
  EXPECT_EQ(resize(stream_of(2), 5, 9, "0").error().type, "InvalidArgumentException");
  EXPECT_EQ(resize(stream_of(5), 2, 9, "0").error().type, "InvalidArgumentException");
}

TEST(Shards, ClosedOnesAreDroppedAfterTheRetention) {
  const auto stream = split(stream_of(1), 0, HashKey{1} << 100, 1'700'000'000'000, "0");
  EXPECT_TRUE(within_retention(*stream, 0, 1'700'000'000'000 + 24 * 3'600'000));
  EXPECT_FALSE(within_retention(*stream, 0, 1'700'000'000'001 + 24 * 3'600'000));
  EXPECT_TRUE(within_retention(*stream, 1, INT64_MAX));
}

TEST(Shards, IdsAreReadAsAwsReadsThem) {
  EXPECT_EQ(shard_id(7), "shardId-000000000007");
  EXPECT_EQ(parse_shard_id("shardId-000000000007"), 7);
  EXPECT_EQ(parse_shard_id("7"), 7);
  EXPECT_FALSE(parse_shard_id("shardId-x"));
  EXPECT_FALSE(parse_shard_id("shardId--1"));
}

}  // namespace
}  // namespace pinflow::kinesis
