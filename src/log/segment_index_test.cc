#include "log/segment_index.h"

#include <gtest/gtest.h>

namespace pinflow::log {
namespace {

BatchHeader batch_at(int64_t offset, int32_t records, int64_t bytes, int64_t max_timestamp) {
  BatchHeader header;
  header.base_offset = offset;
  header.length = static_cast<int32_t>(bytes - 12);
  header.last_offset_delta = records - 1;
  header.record_count = records;
  header.max_timestamp = max_timestamp;
  return header;
}

// Batches of 3 records and 5,000 bytes from offset 1000 on; every third one is older than the one before it.
SegmentIndex make_index(int batches) {
  SegmentIndex index(1000);
  for (int i = 0; i < batches; ++i) index.note(batch_at(1000 + 3 * i, 3, 5000, i % 3 == 2 ? 10 * i - 15 : 10 * i));
  return index;
}

TEST(SegmentIndex, FindsAPlaceAtMostAnIntervalAndABatchBefore) {
  const auto index = make_index(200);
  EXPECT_EQ(index.summary().bytes, 200 * 5000);
  EXPECT_EQ(index.summary().end_offset, 1600);
  for (int64_t offset = 1000; offset < 1600; ++offset) {
    const int64_t position = (offset - 1000) / 3 * 5000;
    const int64_t found = index.position_of(offset);
    EXPECT_LE(found, position);
    EXPECT_GE(found, position - kIndexInterval - 5000);
    EXPECT_EQ(found % 5000, 0);
  }
}

TEST(SegmentIndex, FindsAPlaceAtOrBeforeTheFirstOfATime) {
  const auto index = make_index(200);
  for (int64_t time = -10; time < 2010; ++time) {
    int64_t first = 200;  // the batch that first has a record of that time
    for (int64_t i = 199; i >= 0; --i) {
      if ((i % 3 == 2 ? 10 * i - 15 : 10 * i) >= time) first = i;
    }
    EXPECT_LE(index.position_of_time(time), first * 5000) << time;
    EXPECT_GE(index.position_of_time(time), (first - 2) * 5000 - kIndexInterval - 5000) << time;
  }
}

TEST(SegmentIndex, SurvivesItsFile) {
  for (const int batches : {0, 1, 200}) {
    const auto index = make_index(batches);
    const auto file = index.encode();
    const auto read = SegmentIndex::decode(file);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->encode(), file);
    const auto summary = SegmentIndex::decode_summary(file.substr(0, kIndexHeaderBytes));
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->end_offset, index.summary().end_offset);
    EXPECT_EQ(summary->max_timestamp, index.summary().max_timestamp);
    for (size_t i = 0; i < file.size(); ++i) {
      auto broken = file;
      broken[i] = static_cast<char>(broken[i] ^ 64);
      EXPECT_FALSE(SegmentIndex::decode(broken)) << i;
      EXPECT_FALSE(SegmentIndex::decode(file.substr(0, i))) << i;
    }
  }
}

}  // namespace
}  // namespace pinflow::log
