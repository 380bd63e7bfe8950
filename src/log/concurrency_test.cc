// Many threads append, read, trim and change topics at once.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <map>
#include <thread>

#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

struct Written {
  int64_t offset;
  std::string value;
};

TEST(Concurrency, OffsetsAreDenseAndEachThreadsOrderIsKept) {
  constexpr int kThreads = 6;
  constexpr int kAppends = 3000;
  constexpr int kPartitions = 2;
  Folder folder;
  auto log = Log::open(folder.path(), {.segment_bytes = 64 << 10}).value();
  ASSERT_TRUE(log->create_topic("t", kPartitions, {}));
  std::atomic<bool> done{false};

  // Readers see dense offsets at any time, up to an end that only grows.
  std::vector<std::thread> readers;
  for (int p = 0; p < kPartitions; ++p) {
    readers.emplace_back([&, p] {
      int64_t next = 0;
      uint64_t seen = 0;
      while (!done || next < log->offsets("t", p)->end) {
        auto bytes = log->read("t", p, next, 16 << 10);
        ASSERT_TRUE(bytes) << bytes.error().message;
        if (bytes->empty()) seen = log->wait_for_growth(seen, std::chrono::milliseconds(20));
        for (std::string_view rest = *bytes; !rest.empty();) {
          const auto header = check_batch(rest);
          ASSERT_TRUE(header);
          ASSERT_EQ(header->base_offset, next);
          next = header->last_offset() + 1;
          rest.remove_prefix(static_cast<size_t>(header->bytes()));
        }
      }
      EXPECT_EQ(next, log->offsets("t", p)->end);
    });
  }

  std::vector<std::vector<int64_t>> offsets(kThreads, std::vector<int64_t>(kAppends, -1));
  std::latch answered(kThreads * kAppends);
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kAppends; ++i) {
        log->append("t", t % kPartitions, batch_of({std::to_string(t) + "/" + std::to_string(i)}),
                    [&, t, i](Result<Appended> appended) {
                      if (appended) offsets[static_cast<size_t>(t)][static_cast<size_t>(i)] = appended->base_offset;
                      answered.count_down();
                    });
      }
    });
  }
  for (auto& writer : writers) writer.join();
  answered.wait();
  done = true;
  for (auto& reader : readers) reader.join();

  for (int p = 0; p < kPartitions; ++p) {
    const auto values = read_values(*log, "t", p);
    ASSERT_EQ(values.size(), static_cast<size_t>(kThreads / kPartitions * kAppends));
    for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i].offset, static_cast<int64_t>(i));
    for (int t = p; t < kThreads; t += kPartitions) {
      int64_t before = -1;
      for (int i = 0; i < kAppends; ++i) {
        const int64_t offset = offsets[static_cast<size_t>(t)][static_cast<size_t>(i)];
        ASSERT_GT(offset, before);
        ASSERT_EQ(values[static_cast<size_t>(offset)].text, std::to_string(t) + "/" + std::to_string(i));
        before = offset;
      }
    }
  }
}

TEST(Concurrency, ReadersAndTrimmingDoNotDisturbEachOther) {
  Folder folder;
  auto log = open_with_topic(folder, {.segment_bytes = 2000, .retention_check = std::chrono::milliseconds(1)});
  ASSERT_TRUE(log->alter_topic("t", {.retention_bytes = 20'000}));
  std::atomic<bool> done{false};
  std::vector<std::thread> others;
  for (int r = 0; r < 2; ++r) {
    others.emplace_back([&] {
      while (!done) {
        const auto offsets = log->offsets("t", 0);
        ASSERT_LE(offsets->start, offsets->end);
        const auto bytes = log->read("t", 0, (offsets->start + offsets->end) / 2, 5000);
        // Only what was deleted meanwhile may be missing.
        ASSERT_TRUE(bytes || bytes.error().code == Code::invalid) << bytes.error().message;
        const auto timed = log->offset_for_time("t", 0, 500);
        ASSERT_TRUE(timed) << timed.error().message;
      }
    });
  }
  others.emplace_back([&] {
    while (!done) {
      const auto offsets = log->offsets("t", 0);
      ASSERT_TRUE(log->delete_records("t", 0, std::min(offsets->start + 1, offsets->end)));
    }
  });
  std::vector<std::future<Result<Appended>>> appended;
  for (int i = 0; i < 2000; ++i) appended.push_back(append_async(*log, "t", 0, batch_of({std::string(200, 'x')}, i)));
  for (size_t i = 0; i < appended.size(); ++i) EXPECT_EQ(appended[i].get()->base_offset, static_cast<int64_t>(i));
  done = true;
  for (auto& other : others) other.join();
  EXPECT_GT(log->offsets("t", 0)->start, 1000);
}

TEST(Concurrency, TopicsComeAndGoWhileOthersAppend) {
  Folder folder;
  auto log = open_with_topic(folder);
  std::atomic<bool> done{false};
  std::atomic<int> stored{0};
  std::thread coming([&] {
    for (int i = 0; i < 15; ++i) {
      ASSERT_TRUE(log->create_topic("u", 2, {}));
      for (int a = 0; a < 3; ++a) append(*log, "u", 1, batch_of({"x"}));
      ASSERT_TRUE(log->add_partitions("u", 3));
      ASSERT_TRUE(log->alter_topic("u", {.retention_ms = i}));
      ASSERT_TRUE(log->delete_topic("u"));
    }
    done = true;
  });
  std::vector<std::thread> others;
  for (int t = 0; t < 3; ++t) {
    others.emplace_back([&] {
      while (!done) {
        const auto appended = append(*log, "u", 0, batch_of({"y"}));
        ASSERT_TRUE(appended || appended.error().code == Code::not_found) << appended.error().message;
        ASSERT_TRUE(append(*log, "t", 0, batch_of({"z"})));
        ++stored;
        log->topics();
        log->read("u", 0, 0, 1000);
      }
    });
  }
  coming.join();
  for (auto& other : others) other.join();
  EXPECT_EQ(log->offsets("t", 0)->end, stored);
  EXPECT_FALSE(log->find_topic("u"));
}

// A repeat that races with its original is stored once.
TEST(Concurrency, RepeatsOfAnIdempotentProducerAreStoredOnce) {
  Folder folder;
  auto log = open_with_topic(folder);
  for (int i = 0; i < 50; ++i) {
    std::vector<std::thread> threads;
    std::vector<int64_t> offsets(3, -1);
    for (size_t t = 0; t < offsets.size(); ++t) {
      threads.emplace_back([&, t] { offsets[t] = append(*log, "t", 0, batch_of({"x"}, 1, 0, i))->base_offset; });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(offsets, std::vector<int64_t>(3, i));
  }
  EXPECT_EQ(log->offsets("t", 0)->end, 50);
}

}  // namespace
}  // namespace pinflow::log
