#include "sink/writer_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "object/memory_store.h"
#include "sink/lake_reader.h"
#include "sink/lake_writer.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using object::MemoryStore;
using testing::ElementsAre;

File data(int64_t first, int64_t next) {
  File file{.kind = Kind::data};
  for (int64_t offset = first; offset < next; ++offset) {
    file.bytes += fmt::format("{{\"n\":{}}}\n", offset);
    file.count(offset, {});
  }
  return file;
}

std::shared_ptr<Outbox> outbox(MemoryStore& store, int32_t partition) {
  return std::make_shared<Outbox>(std::make_unique<LakeWriter>(store, Layout{}, "t", partition));
}

TEST(WriterPool, WritesManyPartitionsAtOnceEachInOrder) {
  MemoryStore store;
  std::atomic<unsigned> calls = 0;
  store.inject([&](const MemoryStore::Call& call) -> std::optional<MemoryStore::Fault> {
    if (call.operation != "put_if_absent" || ++calls % 50 != 0) return std::nullopt;
    return MemoryStore::Fault{{Code::unavailable, "no answer"}, calls % 100 == 0};
  });
  WriterPool pool(4);
  std::vector<std::shared_ptr<Outbox>> outboxes;
  for (int32_t partition = 0; partition < 6; ++partition) outboxes.push_back(outbox(store, partition));
  const int64_t end = 300;
  for (int64_t at = 0; at < end; at += 3)
    for (const auto& one : outboxes) {
      pool.put(one, data(at, at + 3));
      EXPECT_LE(one->first_waiting().value_or(0), at);
    }
  ASSERT_TRUE(pool.wait_until_empty(outboxes, 60s));
  EXPECT_EQ(pool.bytes(), 0);
  store.inject(nullptr);
  for (int32_t partition = 0; partition < 6; ++partition) {
    const Outbox::Tally tally = outboxes[static_cast<size_t>(partition)]->tally();
    EXPECT_EQ(tally.counts.in_objects, end);
    EXPECT_EQ(tally.counts.objects, end / 3);
    EXPECT_EQ(tally.waiting, 0);
    LakeReader reader(store, {}, "t", partition);
    ASSERT_TRUE(reader.list());
    EXPECT_THAT(reader.coverage_from(0)->ranges(), ElementsAre(Range{0, end}));
  }
}

TEST(WriterPool, AnErrorThatStaysEndsIt) {
  MemoryStore store;
  ASSERT_TRUE(store.put("topics/t/partition=0/t+0+0000000003.json", "{\"other\":1}\n"));
  WriterPool pool(2);
  const auto bad = outbox(store, 0);
  pool.put(bad, data(0, 3));
  pool.put(bad, data(3, 6));
  EXPECT_FALSE(pool.wait_until_empty({bad}, 60s));
  ASSERT_TRUE(pool.failure());
  EXPECT_EQ(pool.failure()->code, Code::conflict);
  EXPECT_EQ(bad->first_waiting(), 3);
  EXPECT_EQ(bad->tally().counts.in_objects, 3);
}

TEST(WriterPool, AbandonAndStopLeaveTheRest) {
  MemoryStore store;
  std::atomic<bool> asked = false;
  store.inject([&](const MemoryStore::Call&) {
    asked = true;
    return MemoryStore::Fault{{Code::full, "no room"}};
  });
  WriterPool pool(2);
  const auto given_up = outbox(store, 0);
  const auto kept = outbox(store, 1);
  for (int64_t at = 0; at < 9; at += 3) {
    pool.put(given_up, data(at, at + 3));
    pool.put(kept, data(at, at + 3));
  }
  while (!asked) std::this_thread::yield();
  EXPECT_FALSE(pool.wait_until_empty({given_up, kept}, 1ms));
  EXPECT_FALSE(pool.failure());
  pool.abandon(given_up);
  EXPECT_EQ(given_up->tally().given_up, 9);
  pool.stop();
  EXPECT_EQ(kept->tally().waiting, 9);
  EXPECT_EQ(kept->first_waiting(), 0);
  EXPECT_EQ(pool.trouble()->message, "no room");
}

}  // namespace
}  // namespace pinflow::sink
