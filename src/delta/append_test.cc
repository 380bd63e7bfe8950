#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/table.h"
#include "delta/test_support.h"
#include "object/directory_store.h"
#include "object/memory_store.h"

namespace pinflow::delta {
namespace {

const std::string kTable = "tables/t";
using Kind = Outcome::Kind;

Outcome done(object::Store& store, const Append& request) {
  auto outcome = append(store, request);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome ? std::move(*outcome) : Outcome{};
}

TEST(Append, MakesTheTableWithItsFirstCommit) {
  object::MemoryStore store;
  Append request = append_of(kTable, "f0", 1);
  request.commit_info = R"({ "pinflow": {"clean": 5} })";
  const Outcome outcome = done(store, request);
  EXPECT_EQ(outcome.kind, Kind::committed);
  EXPECT_EQ(outcome.version, 0);
  const auto snapshot = read_snapshot(store, kTable);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->columns(), two_columns());
  EXPECT_EQ(snapshot->protocol, (Protocol{1, 2, {}, {}}));
  EXPECT_EQ(snapshot->metadata.id.size(), 36u);
  EXPECT_EQ(snapshot->txn_version("app"), 1);
  EXPECT_EQ(paths_of(snapshot->files), (std::vector<std::string>{"f0"}));
  EXPECT_EQ(outcome.snapshot.metadata, snapshot->metadata);
  EXPECT_EQ(paths_of(outcome.snapshot.files), paths_of(snapshot->files));
  const auto entries = history(store, kTable, 10);
  EXPECT_EQ(entries->at(0).operation, "WRITE");
  EXPECT_NE(entries->at(0).commit_info.find(R"("pinflow":{"clean":5})"), std::string::npos)
      << entries->at(0).commit_info;
  EXPECT_NE(entries->at(0).commit_info.find(R"("numOutputRows":"1")"), std::string::npos) << entries->at(0).commit_info;
}

TEST(Append, OfATxnThatIsDoneWritesNothing) {
  object::MemoryStore store;
  done(store, append_of(kTable, "f0", 5));
  for (const int64_t version : {5, 4}) {
    const Outcome again = done(store, append_of(kTable, "again", version));
    EXPECT_EQ(again.kind, Kind::already_done);
    EXPECT_EQ(again.version, 0);
  }
  EXPECT_EQ(done(store, append_of(kTable, "f1", 6)).version, 1);
  EXPECT_EQ(done(store, append_of(kTable, "f2", 1, "other")).version, 2);
  EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 3u);
}

TEST(Append, OfNoFilesCommitsTheTxn) {
  object::MemoryStore store;
  Append request = append_of(kTable, "f0", 3);
  request.files.clear();
  EXPECT_EQ(done(store, request).kind, Kind::committed);
  EXPECT_EQ(read_snapshot(store, kTable)->txn_version("app"), 3);
}

TEST(Append, BlindGoesOnAfterALostRace) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 1);
  request.base = done(store, append_of(kTable, "f0", 1, "a")).snapshot;
  done(store, append_of(kTable, "f1", 1, "b"));
  const Outcome outcome = done(store, request);
  EXPECT_EQ(outcome.kind, Kind::committed);
  EXPECT_EQ(outcome.version, 2);
  EXPECT_EQ(paths_of(outcome.snapshot.files), (std::vector<std::string>{"f0", "f1", "mine"}));
}

TEST(Append, ThatHasReadHandsALostRaceBack) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 1);
  request.has_read = true;
  request.base = done(store, append_of(kTable, "f0", 1, "a")).snapshot;
  done(store, append_of(kTable, "f1", 1, "b"));
  Outcome outcome = done(store, request);
  EXPECT_EQ(outcome.kind, Kind::raced);
  EXPECT_EQ(paths_of(added_since(*request.base, outcome.snapshot)), (std::vector<std::string>{"f1"}));
  request.base = outcome.snapshot;
  outcome = done(store, request);
  EXPECT_EQ(outcome.kind, Kind::committed);
  EXPECT_EQ(outcome.version, 2);
}

TEST(Append, ThatHasReadGoesOnWhereNoFilesCame) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 1);
  request.has_read = true;
  request.base = done(store, append_of(kTable, "f0", 1, "a")).snapshot;
  Append empty = append_of(kTable, "", 2, "a");
  empty.files.clear();
  done(store, empty);
  EXPECT_EQ(done(store, request).kind, Kind::committed);
}

TEST(Append, ThatHasReadNoTableIsRacedByOneThatIsMade) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 1);
  request.has_read = true;
  done(store, append_of(kTable, "f0", 1, "a"));
  EXPECT_EQ(done(store, request).kind, Kind::raced);
  // Also where the race is lost at the put itself.
  object::MemoryStore late;
  bool made = false;
  late.inject([&](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
    if (call.operation == "put_if_absent" && !made) {
      made = true;
      done(late, append_of(kTable, "f0", 1, "a"));
    }
    return std::nullopt;
  });
  EXPECT_EQ(done(late, request).kind, Kind::raced);
  EXPECT_EQ(read_snapshot(late, kTable)->files.size(), 1u);
}

TEST(Append, OfALosersOwnTxnThrowsItsWorkAway) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 7);
  request.base = done(store, append_of(kTable, "f0", 6)).snapshot;
  done(store, append_of(kTable, "twin", 7));
  const Outcome outcome = done(store, request);
  EXPECT_EQ(outcome.kind, Kind::already_done);
  EXPECT_EQ(paths_of(outcome.snapshot.files), (std::vector<std::string>{"f0", "twin"}));
}

TEST(Append, FindsOutALostAnswer) {
  for (const bool after_work : {true, false}) {
    for (const Code code : {Code::unavailable, Code::already_exists}) {
      if (!after_work && code == Code::already_exists) continue;
      object::MemoryStore store;
      done(store, append_of(kTable, "f0", 1));
      store.fail_nth("put_if_absent", 1, {{code, "the answer was lost"}, after_work});
      const Outcome outcome = done(store, append_of(kTable, "f1", 2));
      EXPECT_EQ(outcome.kind, Kind::committed);
      EXPECT_EQ(outcome.version, 1);
      EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 2u);
    }
  }
}

TEST(Append, WhoseEntryCannotBeReadBackGivesUpWithoutADouble) {
  object::MemoryStore store;
  done(store, append_of(kTable, "f0", 1));
  Append request = append_of(kTable, "f1", 2);
  request.base = read_snapshot(store, kTable).value();
  store.inject([](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
    if (call.operation == "put_if_absent") return object::MemoryStore::Fault{{Code::unavailable, "timed out"}, true};
    if (call.operation == "get") return object::MemoryStore::Fault{{Code::unavailable, "timed out"}, false};
    return std::nullopt;
  });
  EXPECT_EQ(append(store, request).error().code, Code::unavailable);
  store.inject(nullptr);
  EXPECT_EQ(done(store, append_of(kTable, "f1 again", 2)).kind, Kind::already_done);
  EXPECT_EQ(paths_of(read_snapshot(store, kTable)->files), (std::vector<std::string>{"f0", "f1"}));
}

TEST(Append, PassesOtherErrorsOn) {
  object::MemoryStore store;
  store.fail_nth("put_if_absent", 1, {{Code::full, "no space left"}, false});
  EXPECT_EQ(append(store, append_of(kTable, "f0", 1)).error().code, Code::full);
  EXPECT_EQ(read_snapshot(store, kTable).error().code, Code::not_found);
}

TEST(Append, FailsWhereTheSchemaChangedMeanwhile) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 1);
  request.base = done(store, append_of(kTable, "f0", 1, "a")).snapshot;
  put_commit(store, kTable, 1, first_lines().substr(first_lines().find('\n') + 1));
  EXPECT_EQ(append(store, request).error().code, Code::conflict);
}

TEST(Append, FailsWhereTheTableWasMadeAnew) {
  object::MemoryStore store;
  Append request = append_of(kTable, "mine", 9);
  for (int i = 0; i < 4; ++i) request.base = done(store, append_of(kTable, fmt::format("f{}", i), i)).snapshot;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store.remove(commit_name(kTable, i)));
  done(store, append_of(kTable, "new", 0));
  EXPECT_EQ(append(store, request).error().code, Code::conflict);
  EXPECT_EQ(read_snapshot(store, kTable)->version, 0);
}

TEST(Append, OfOtherColumnsIsRefused) {
  object::MemoryStore store;
  done(store, append_of(kTable, "f0", 1));
  Append request = append_of(kTable, "f1", 2);
  request.columns = {{"id", "integer"}, {"name", "string"}};
  for (DataFile& file : request.files) file.held_against = schema_mark(request.columns);
  const auto other = append(store, request);
  EXPECT_EQ(other.error().code, Code::invalid);
  EXPECT_NE(other.error().message.find("has 'id' as long, not as integer"), std::string::npos) << other.error().message;
}

TEST(Append, OfFilesThatWereNotHeldAgainstTheSchemaIsRefused) {
  object::MemoryStore store;
  Append request = append_of(kTable, "f0", 1);
  request.files.front().held_against = 0;
  EXPECT_EQ(append(store, request).error().code, Code::invalid);
  request = append_of(kTable, "f0", 1);
  request.files.push_back(request.files.front());
  EXPECT_EQ(append(store, request).error().code, Code::invalid);
  request = append_of(kTable, "f0", 1);
  request.commit_info = "[1]";
  EXPECT_EQ(append(store, request).error().code, Code::invalid);
  EXPECT_EQ(store.list(kTable, {})->size(), 0u);
}

TEST(Append, WritesCheckpointsSpacedByGrowth) {
  object::MemoryStore store;
  constexpr int kCommits = 300;
  Append request;
  for (int i = 0; i < kCommits; ++i) {
    auto base = std::move(request.base);
    request = append_of(kTable, fmt::format("f{}", i), i);
    request.base = std::move(base);
    request.base = done(store, request).snapshot;
  }
  int checkpoints = 0;
  const auto log = store.list(log_folder(kTable), {});
  for (const auto& object : *log) checkpoints += object.name.ends_with(".checkpoint.parquet") ? 1 : 0;
  EXPECT_GE(checkpoints, 12);
  EXPECT_LE(checkpoints, 25);
  const auto snapshot = read_snapshot(store, kTable);
  EXPECT_EQ(snapshot->files.size(), size_t{kCommits});
  EXPECT_LE(snapshot->version - snapshot->checkpoint_version, 30);
  EXPECT_EQ(snapshot->checkpoint_version, request.base->checkpoint_version);
}

TEST(Append, SurvivesAFailureAtEveryStepOfACheckpoint) {
  for (const char* operation : {"put_file_if_absent", "put"}) {
    for (const bool after_work : {false, true}) {
      object::MemoryStore store;
      for (int i = 0; i < 9; ++i) done(store, append_of(kTable, fmt::format("f{}", i), i));
      store.fail_nth(operation, 1, {{Code::unavailable, "timed out"}, after_work});
      EXPECT_EQ(done(store, append_of(kTable, "f9", 9)).kind, Kind::committed);
      EXPECT_EQ(done(store, append_of(kTable, "f10", 10)).kind, Kind::committed);
      EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 11u);
    }
  }
}

TEST(Append, ByManyThreadsOnADirectoryGivesEachVersionOnce) {
  constexpr int kThreads = 8, kEach = 50;
  const TemporaryFolder folder;
  const auto store = object::open_directory(folder.path());
  ASSERT_TRUE(store) << store.error().message;
  std::mutex mutex;
  std::set<int64_t> versions;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::optional<Snapshot> base;
      for (int i = 0; i < kEach; ++i) {
        Append request = append_of(kTable, fmt::format("{}-{}", t, i), i, fmt::format("app{}", t));
        request.base = std::move(base);
        Outcome outcome = done(**store, request);
        const std::lock_guard lock(mutex);
        EXPECT_EQ(outcome.kind, Kind::committed);
        EXPECT_TRUE(versions.insert(outcome.version).second) << outcome.version;
        base = std::move(outcome.snapshot);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(versions.size(), size_t{kThreads * kEach});
  EXPECT_EQ(*versions.rbegin(), kThreads * kEach - 1);
  const auto snapshot = read_snapshot(**store, kTable);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  std::set<std::string> paths;
  for (const DataFile& file : snapshot->files) EXPECT_TRUE(paths.insert(file.path).second) << file.path;
  EXPECT_EQ(paths.size(), size_t{kThreads * kEach});
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(snapshot->txn_version(fmt::format("app{}", t)), kEach - 1);
}

}  // namespace
}  // namespace pinflow::delta
