// What leaves the log: by age, by size, by request; and finding offsets by time.
#include <gmock/gmock.h>

#include <thread>

#include "base/clock.h"
#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kOften{2};

size_t segments_of(const Folder& folder) {
  size_t segments = 0;
  for (const auto& entry : fs::directory_iterator(folder.partition("t", 0))) {
    segments += entry.path().extension() == ".log";
  }
  return segments;
}

// Until the retention thread has moved the start to `offset`; the test's own time limit ends it otherwise.
void wait_for_start(const Log& log, int64_t offset) {
  while (log.offsets("t", 0)->start < offset) std::this_thread::sleep_for(kOften);
  EXPECT_EQ(log.offsets("t", 0)->start, offset);
}

TEST(Retention, DeletesWholeSegmentsByAgeButNeverTheActiveOne) {
  Folder folder;
  const LogOptions options{.segment_bytes = 200, .retention_check = kOften};
  auto log = open_with_topic(folder, options);
  const int64_t old = now_ms() - 3'600'000;
  for (int i = 0; i < 8; ++i) append_values(*log, {std::string(100, 'x')}, i < 4 ? old : now_ms());  // one a segment
  EXPECT_EQ(segments_of(folder), 8u);
  ASSERT_TRUE(log->alter_topic("t", {.retention_ms = 1'800'000}));
  wait_for_start(*log, 4);
  EXPECT_EQ(read_values(*log).size(), 4u);
  EXPECT_FALSE(log->read("t", 0, 3, 100));
  ASSERT_TRUE(log->alter_topic("t", {.retention_ms = 0}));
  wait_for_start(*log, 7);
  EXPECT_EQ(read_values(*log).size(), 1u);
  log.reset();
  log = open_with_topic(folder, options);
  EXPECT_EQ(log->offsets("t", 0)->start, 7);
  EXPECT_EQ(append_values(*log, {"next"}), 8);
}

TEST(Retention, DeletesWholeSegmentsBySize) {
  Folder folder;
  auto log = open_with_topic(folder, {.segment_bytes = 200, .retention_check = kOften});
  const auto bytes = static_cast<int64_t>(batch_of({std::string(100, 'x')}).size());
  for (int i = 0; i < 10; ++i) append_values(*log, {std::string(100, 'x')});
  ASSERT_TRUE(log->alter_topic("t", {.retention_bytes = 3 * bytes}));
  wait_for_start(*log, 7);
  while (segments_of(folder) > 3) std::this_thread::sleep_for(kOften);  // the files go after the start has moved
  ASSERT_TRUE(log->alter_topic("t", {.retention_bytes = 0}));
  wait_for_start(*log, 9);
  append_values(*log, {std::string(100, 'x')});
  wait_for_start(*log, 10);
}

TEST(Retention, TheTopicsOwnSegmentSizeCounts) {
  Folder folder;
  auto log = open_with_topic(folder);
  for (int i = 0; i < 4; ++i) append_values(*log, {std::string(100, 'x')});
  EXPECT_EQ(segments_of(folder), 1u);
  ASSERT_TRUE(log->alter_topic("t", {.segment_bytes = 200}));
  for (int i = 0; i < 4; ++i) append_values(*log, {std::string(100, 'x')});
  EXPECT_EQ(segments_of(folder), 5u);
}

TEST(DeleteRecords, MovesTheStartForGood) {
  Folder folder;
  const LogOptions options{.segment_bytes = 200};
  auto log = open_with_topic(folder, options);
  for (int i = 0; i < 6; ++i) append_values(*log, {std::string(40, 'x'), std::string(40, 'y')});  // one a segment
  ASSERT_TRUE(log->delete_records("t", 0, 5));
  EXPECT_EQ(log->offsets("t", 0)->start, 5);
  EXPECT_EQ(segments_of(folder), 4u);
  ASSERT_TRUE(log->delete_records("t", 0, 3));  // below the start: nothing to do
  EXPECT_EQ(log->offsets("t", 0)->start, 5);
  EXPECT_EQ(log->delete_records("t", 0, 13).error().code, Code::invalid);
  EXPECT_EQ(log->delete_records("u", 0, 1).error().code, Code::not_found);
  EXPECT_EQ(read_values(*log).size(), 7u);
  log.reset();
  log = open_with_topic(folder, options);
  EXPECT_EQ(log->offsets("t", 0)->start, 5);
  EXPECT_EQ(read_values(*log).size(), 7u);
  ASSERT_TRUE(log->delete_records("t", 0, 12));
  EXPECT_EQ(log->offsets("t", 0)->start, 12);
  EXPECT_EQ(*log->read("t", 0, 12, 100), "");
  EXPECT_EQ(log->offset_for_time("t", 0, 0)->offset, -1);
  log.reset();
  log = open_with_topic(folder, options);
  EXPECT_EQ(log->offsets("t", 0)->start, 12);
  EXPECT_EQ(append_values(*log, {"z"}), 12);
}

TEST(DeleteRecords, ACrashBeforeTheFilesAreRemovedIsFinished) {
  Folder folder;
  const LogOptions options{.segment_bytes = 200};
  auto log = open_with_topic(folder, options);
  for (int i = 0; i < 6; ++i) append_values(*log, {std::string(100, 'x')});
  Folder crashed;
  fs::copy(folder.path(), crashed.path(), fs::copy_options::recursive);
  ASSERT_TRUE(replace_file(crashed.partition("t", 0) / "start", "4\n"));
  auto reopened = open_with_topic(crashed, options);
  EXPECT_EQ(reopened->offsets("t", 0)->start, 4);
  EXPECT_EQ(segments_of(crashed), 2u);
  reopened.reset();
  for (const std::string_view text : {"", "x\n", "-1\n", "4", "4 \n"}) {
    ASSERT_TRUE(replace_file(crashed.partition("t", 0) / "start", text));
    EXPECT_EQ(Log::open(crashed.path(), options).error().code, Code::corrupt) << text;
  }
  ASSERT_TRUE(replace_file(crashed.partition("t", 0) / "start", "7\n"));  // beyond the end
  EXPECT_EQ(Log::open(crashed.path(), options).error().code, Code::corrupt);
}

TEST(OffsetForTime, IsTheFirstRecordOfThatTimeOrLater) {
  Folder folder;
  const LogOptions options{.segment_bytes = 60'000};
  auto log = open_with_topic(folder, options);
  const std::string padding(2000, 'x');
  // Three records a batch at 10i, 10i + 5, 10i + 3: not sorted within a batch.
  std::vector<std::future<Result<Appended>>> appended;
  for (int i = 0; i < 100; ++i) {
    BatchBuilder builder(10 * i);
    for (const int delta : {0, 5, 3}) builder.add(10 * i + delta, std::nullopt, padding);
    appended.push_back(append_async(*log, "t", 0, builder.finish()));
  }
  for (auto& one : appended) ASSERT_TRUE(one.get());
  EXPECT_GT(segments_of(folder), 5u);
  for (int round = 0; round < 2; ++round) {
    for (int time = 0; time < 1000; ++time) {
      const auto found = log->offset_for_time("t", 0, time);
      ASSERT_TRUE(found) << found.error().message;
      const int i = time / 10;
      const int rest = time % 10;
      if (rest == 0) {
        EXPECT_EQ(found->offset, 3 * i);
        EXPECT_EQ(found->timestamp_ms, 10 * i);
      } else if (rest <= 5) {
        EXPECT_EQ(found->offset, 3 * i + 1);
        EXPECT_EQ(found->timestamp_ms, 10 * i + 5);
      } else {
        EXPECT_EQ(found->offset, i == 99 ? -1 : 3 * (i + 1));
      }
    }
    EXPECT_EQ(log->offset_for_time("t", 0, -5)->offset, 0);
    log.reset();
    log = open_with_topic(folder, options);
  }
  ASSERT_TRUE(log->delete_records("t", 0, 31));
  EXPECT_EQ(log->offset_for_time("t", 0, 0)->offset, 31);
  EXPECT_EQ(log->offset_for_time("u", 0, 0).error().code, Code::not_found);
}

TEST(OffsetForTime, OfACompressedBatchIsItsFirstOffset) {
  Folder folder;
  auto log = open_with_topic(folder);
  append_values(*log, {"a"}, 1000);
  auto batch = batch_of({"b", "c"}, 2000);
  batch[22] = 4;  // says zstd; nobody looks inside
  store_big(batch.data() + 17, crc32c(std::string_view(batch).substr(21)));
  ASSERT_TRUE(append(*log, "t", 0, batch));
  EXPECT_EQ(log->offset_for_time("t", 0, 1500)->offset, 1);
  EXPECT_EQ(log->offset_for_time("t", 0, 1500)->timestamp_ms, 2000);
  EXPECT_EQ(log->offset_for_time("t", 0, 2001)->offset, -1);
}

}  // namespace
}  // namespace pinflow::log
