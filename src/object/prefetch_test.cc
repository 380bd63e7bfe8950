#include "object/prefetch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>

#include "base/files.h"
#include "object/memory_store.h"

namespace pinflow::object {
namespace {

// Objects whose bytes are their names.
std::vector<Prefetch::Wanted> fill(MemoryStore& store, int count, int64_t size = 1) {
  std::vector<Prefetch::Wanted> wanted;
  for (int i = 0; i < count; ++i) {
    wanted.push_back({fmt::format("objects/{:04}", i), size});
    EXPECT_TRUE(store.put(wanted.back().name, wanted.back().name));
  }
  return wanted;
}

std::string text_of(const LocalFile& file) { return read_file(file.path()).value(); }

TEST(PrefetchTest, GivesEachObjectWhoeverFetchesIt) {
  for (const size_t at_once : {1, 4}) {
    MemoryStore store(at_once);
    const auto wanted = fill(store, 300);
    Prefetch ahead(store, wanted);
    std::atomic<size_t> next = 0, right = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
      readers.emplace_back([&] {
        for (size_t place = next++; place < wanted.size(); place = next++)
          if (auto file = ahead.take(place); file && text_of(*file) == wanted[place].name) ++right;
      });
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(right, wanted.size());
  }
}

TEST(PrefetchTest, SeveralAreUnderWayAtOnce) {
  MemoryStore store(4);
  const auto wanted = fill(store, 4);
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  store.inject([&](const MemoryStore::Call& call) -> std::optional<MemoryStore::Fault> {
    if (call.operation != "fetch") return std::nullopt;
    std::unique_lock lock(mutex);  // none goes on before all four have come
    ++here;
    all_here.notify_all();
    all_here.wait(lock, [&] { return here >= 4; });
    return std::nullopt;
  });
  const auto files = fetch_all(store, wanted);
  ASSERT_TRUE(files);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(text_of((*files)[i]), wanted[i].name);
}

TEST(PrefetchTest, NoMoreIsAheadThanTheLimits) {
  for (const int64_t size : {int64_t{1}, Prefetch::kMostBytes / 2, Prefetch::kMostBytes + 1}) {
    MemoryStore store(3);
    const auto wanted = fill(store, 100, size);
    std::atomic<size_t> fetched = 0, taken = 0, most = 0;
    store.inject([&](const MemoryStore::Call& call) -> std::optional<MemoryStore::Fault> {
      if (call.operation == "fetch") {
        const size_t ahead = ++fetched - taken;
        for (size_t known = most; ahead > known && !most.compare_exchange_weak(known, ahead);) {
        }
      }
      return std::nullopt;
    });
    Prefetch ahead(store, wanted);
    for (size_t place = 0; place < wanted.size(); ++place) {
      ASSERT_TRUE(ahead.take(place));
      ++taken;
    }
    EXPECT_EQ(fetched, wanted.size());
    // One more than the limit: what is being taken is counted as taken only afterwards.
    EXPECT_LE(most, 1 + (size == 1 ? Prefetch::kMostObjects : size > Prefetch::kMostBytes ? 0 : 2));
  }
}

TEST(PrefetchTest, AnErrorIsOfTheObjectItBefell) {
  MemoryStore store(2);
  auto wanted = fill(store, 5);
  ASSERT_TRUE(store.remove(wanted[3].name));
  Prefetch ahead(store, wanted);
  for (size_t place = 0; place < wanted.size(); ++place) EXPECT_EQ(ahead.take(place).has_value(), place != 3);
  EXPECT_EQ(fetch_all(store, wanted).error().code, Code::not_found);
}

TEST(PrefetchTest, MayGoBeforeAllAreTaken) {
  MemoryStore store(4);
  const auto wanted = fill(store, 200);
  Prefetch ahead(store, wanted);
  EXPECT_TRUE(ahead.take(0));
}

}  // namespace
}  // namespace pinflow::object
