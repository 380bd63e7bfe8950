#include "log/batch.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace pinflow::log {
namespace {

using namespace std::string_view_literals;

// One record, key "k", value "hello", header h=1, base timestamp 1000, timestamp 1003, written out by hand.
constexpr std::string_view kByHand =
    "\0\0\0\0\0\0\0\0"                  // base offset 0
    "\0\0\0\x42"                        // length 66 = 49 of the header + 17
    "\xFF\xFF\xFF\xFF"                  // leader epoch -1
    "\x02"                              // magic
    "\0\0\0\0"                          // crc, filled in by the test
    "\0\0"                              // attributes
    "\0\0\0\0"                          // last offset delta 0
    "\0\0\0\0\0\0\x03\xE8"              // base timestamp 1000
    "\0\0\0\0\0\0\x03\xEB"              // max timestamp 1003
    "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"  // producer id -1
    "\xFF\xFF"                          // producer epoch -1
    "\xFF\xFF\xFF\xFF"                  // base sequence -1
    "\0\0\0\x01"                        // one record
    "\x20"                              // its length 16, zigzag
    "\0"                                // attributes
    "\x06"                              // timestamp delta 3
    "\0"                                // offset delta 0
    "\x02k"                             // key of 1 byte
    "\x0Ahello"                         // value of 5 bytes
    "\x02"                              // one header
    "\x02h"                             // its name
    "\x02\x31"sv;                       // its value "1"

// CRC-32C bit by bit, from the definition.
uint32_t plain_crc32c(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1));
  }
  return ~crc;
}

std::string by_hand() {
  std::string bytes(kByHand);
  store_big(bytes.data() + 17, plain_crc32c(std::string_view(bytes).substr(21)));
  return bytes;
}

TEST(Batch, WritesTheBytesOfTheFormat) {
  ASSERT_EQ(plain_crc32c("123456789"), 0xE3069283u);  // the check value of CRC-32C
  BatchBuilder builder(1000);
  builder.add(1003, "k", "hello", {{"h", "1"}});
  EXPECT_EQ(builder.count(), 1);
  EXPECT_EQ(builder.bytes(), by_hand().size());
  EXPECT_EQ(to_hex(builder.finish()), to_hex(by_hand()));
}

TEST(Batch, ReadsTheBytesOfTheFormat) {
  const auto bytes = by_hand();
  const auto header = check_batch(bytes);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->bytes(), static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(header->last_offset(), 0);
  EXPECT_EQ(header->max_timestamp, 1003);
  EXPECT_EQ(header->producer_id, -1);
  const auto records = read_records(bytes);
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), 1u);
  EXPECT_EQ(records->front().timestamp_ms, 1003);
  EXPECT_EQ(records->front().key, "k");
  EXPECT_EQ(records->front().value, "hello");
  ASSERT_EQ(records->front().headers.size(), 1u);
  EXPECT_EQ(records->front().headers[0].first, "h");
  EXPECT_EQ(records->front().headers[0].second, "1");
}

TEST(Batch, GivesBackWhatWasAdded) {
  const std::string large(300'000, 'x');
  BatchBuilder builder(5000);
  builder.add(5000, std::nullopt, std::nullopt);
  builder.add(4000, "", "");
  builder.add(9'000'000'000'000, "key", large, {{"a", std::nullopt}, {"", ""}});
  auto bytes = builder.finish();
  set_base_offset(bytes, 70);
  const auto header = check_batch(bytes + "what follows");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->record_count, 3);
  EXPECT_EQ(header->last_offset(), 72);
  EXPECT_EQ(header->max_timestamp, 9'000'000'000'000);
  const auto records = read_records(bytes);
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), 3u);
  EXPECT_EQ((*records)[0].offset, 70);
  EXPECT_FALSE((*records)[0].key);
  EXPECT_FALSE((*records)[0].value);
  EXPECT_EQ((*records)[1].timestamp_ms, 4000);
  EXPECT_EQ((*records)[1].key, "");
  EXPECT_EQ((*records)[1].value, "");
  EXPECT_EQ((*records)[2].offset, 72);
  EXPECT_EQ((*records)[2].value, large);
  ASSERT_EQ((*records)[2].headers.size(), 2u);
  EXPECT_FALSE((*records)[2].headers[0].second);
  EXPECT_EQ((*records)[2].headers[1].second, "");
}

TEST(Batch, TimestampsOfAnySizeComeBack) {
  for (const int64_t at : {INT64_MIN, int64_t{-1}, INT64_MAX}) {
    BatchBuilder builder(1000);
    builder.add(at, std::nullopt, "v");
    const auto records = read_records(builder.finish());
    ASSERT_TRUE(records);
    EXPECT_EQ(records->front().timestamp_ms, at);
  }
}

TEST(Batch, EveryFlippedBitUnderTheCrcIsCorrupt) {
  const auto good = by_hand();
  for (size_t bit = 17 * 8; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto checked = check_batch(bad);
    ASSERT_FALSE(checked) << "bit " << bit;
    EXPECT_EQ(checked.error().code, Code::corrupt);
  }
}

TEST(Batch, EveryCutIsInvalid) {
  const auto good = by_hand();
  for (size_t bytes = 0; bytes < good.size(); ++bytes) {
    const auto checked = check_batch(good.substr(0, bytes));
    ASSERT_FALSE(checked) << bytes;
    EXPECT_EQ(checked.error().code, Code::invalid);
  }
}

TEST(Batch, OtherFormatsAreInvalid) {
  for (const char magic : {'\0', '\1', '\3', '\xFF'}) {
    auto bytes = by_hand();
    bytes[16] = magic;
    const auto header = read_batch_header(bytes);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, Code::invalid);
  }
  for (const int32_t length : {0, 48, -1, INT32_MIN}) {
    auto bytes = by_hand();
    store_big(bytes.data() + 8, length);
    EXPECT_FALSE(check_batch(bytes)) << length;
  }
}

TEST(Batch, CompressedRecordsAreUnsupported) {
  auto bytes = by_hand();
  bytes[22] = 4;
  const auto records = read_records(bytes);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, Code::unsupported);
}

// Records that lie about their lengths are found; nothing outside the batch is read (the sanitizers see to that).
TEST(Batch, EveryByteOfARecordMayBeWrong) {
  const auto good = by_hand();
  for (size_t at = kBatchHeaderBytes; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      auto bad = good;
      bad[at] = static_cast<char>(value);
      if (const auto records = read_records(bad)) {
        for (const auto& record : *records) {
          if (!record.value) continue;
          EXPECT_GE(record.value->data(), bad.data());
          EXPECT_LE(record.value->data() + record.value->size(), bad.data() + bad.size());
        }
      } else {
        EXPECT_EQ(records.error().code, Code::corrupt);
      }
    }
  }
}

TEST(Batch, AFalseRecordCountIsCorrupt) {
  for (const int32_t count : {-1, 0, 2, INT32_MAX}) {
    auto bytes = by_hand();
    store_big(bytes.data() + 57, count);
    const auto records = read_records(bytes);
    ASSERT_FALSE(records) << count;
    EXPECT_EQ(records.error().code, Code::corrupt);
  }
}

}  // namespace
}  // namespace pinflow::log
