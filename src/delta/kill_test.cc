// kill -9 of a process that commits: what it was told is committed is there, each file once, and the log is whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "delta/data_file.h"
#include "delta/table.h"
#include "delta/test_support.h"
#include "delta/upkeep.h"
#include "delta/writer.h"
#include "object/directory_store.h"

namespace pinflow::delta {
namespace {

const std::string kTable = "tables/t";

// Commits txn n, n + 1, … until it is killed; writes each number to `told` once the commit has returned.
[[noreturn]] void commit_for_ever(const std::filesystem::path& root, int told) {
  auto store = object::open_directory(root);
  if (!store) _exit(10);
  auto now = read_snapshot(**store, kTable);
  if (!now && now.error().code != Code::not_found) _exit(11);
  int64_t next = now ? now->txn_version("app") + 1 : 0;
  std::optional<Snapshot> base;
  if (now) base = std::move(*now);
  for (;; ++next) {
    Append request = append_of(kTable, fmt::format("f{}-{}", next, getpid()), next);
    request.base = std::move(base);
    auto outcome = append(**store, request);
    if (!outcome || outcome->kind != Outcome::Kind::committed) _exit(12);
    base = std::move(outcome->snapshot);
    if (write(told, &next, sizeof next) != sizeof next) _exit(13);
  }
}

// The same by an open table, with a whole upkeep after each sixth commit: checkpoints, folding, vacuum at once.
[[noreturn]] void keep_up_for_ever(const std::filesystem::path& root, const std::string& bytes, const DataFile& made,
                                   int told) {
  auto store = object::open_directory(root);
  if (!store) _exit(10);
  auto writer = TableWriter::open(**store, {kTable, two_columns(), "app", {}});
  if (!writer) _exit(11);
  for (int64_t next = (*writer)->txn_version() + 1;; ++next) {
    DataFile file = made;
    file.path = new_file_name();
    file.modification_ms = now_ms();
    if (!(*store)->put_if_absent(kTable + "/" + file.path, bytes)) _exit(12);
    const auto committed = (*writer)->append({next, {file}, {}});
    if (!committed || committed->kind != Committed::Kind::committed) _exit(13);
    if (write(told, &next, sizeof next) != sizeof next) _exit(14);
    if (next % 6 != 5) continue;
    UpkeepOptions options;
    options.fold_before_ms = now_ms() + 1;
    options.fold_least_files = 2;
    options.fold_evenly = false;
    options.file_retention_ms = 0;
    if (!maintain(**store, kTable, options)) _exit(15);
  }
}

TEST(Kill, LosesNothingAndDoublesNothing) {
  const char* more = std::getenv("PINFLOW_KILLS");
  const int rounds = more != nullptr ? std::max(50, std::atoi(more)) : 50;
  const char* given = std::getenv("PINFLOW_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "seed " << seed << ", " << rounds << " kills\n";
  std::mt19937_64 random(seed);
  const TemporaryFolder folder;
  int64_t told = -1;  // the last txn that a child was told is committed
  for (int round = 0; round < rounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_for_ever(folder.path(), pipe_ends[1]);
    close(pipe_ends[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 120'000));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    for (int64_t txn; read(pipe_ends[0], &txn, sizeof txn) == sizeof txn;) {
      ASSERT_EQ(txn, told + 1) << "a txn was committed twice, or lost";
      told = txn;
    }
    close(pipe_ends[0]);

    const auto store = object::open_directory(folder.path());
    ASSERT_TRUE(store) << store.error().message;
    const auto now = read_snapshot(**store, kTable);
    if (!now && now.error().code == Code::not_found && told == -1) continue;
    ASSERT_TRUE(now) << now.error().message;
    const int64_t last = now->txn_version("app");
    ASSERT_TRUE(last == told || last == told + 1) << last << " in the table, " << told << " told";
    ASSERT_EQ(now->version, last);
    std::set<std::string> txns;  // the part of each path before '-'
    for (const DataFile& file : now->files)
      ASSERT_TRUE(txns.insert(file.path.substr(0, file.path.find('-'))).second) << file.path;
    ASSERT_EQ(static_cast<int64_t>(txns.size()), last + 1);
    told = last;
  }
  std::cout << told + 1 << " commits\n";
}

TEST(Kill, OfTheUpkeepLeavesATableThatReadsTheSame) {
  const char* more = std::getenv("PINFLOW_KILLS");
  const int rounds = more != nullptr ? std::max(15, std::atoi(more)) : 15;
  const TemporaryFolder folder;
  make_parquet(folder.path() / "rows.parquet", "SELECT CAST(1 AS BIGINT) AS id, 'n' AS name");
  const std::string bytes = read_file(folder.path() / "rows.parquet").value();
  const auto made = describe_file(folder.path() / "rows.parquet", "x", two_columns());
  ASSERT_TRUE(made) << made.error().message;
  std::mt19937_64 random(std::random_device{}());
  int64_t told = -1;
  for (int round = 0; round < rounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) keep_up_for_ever(folder.path() / "lake", bytes, *made, pipe_ends[1]);
    close(pipe_ends[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(30'000 + random() % 500'000));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    for (int64_t txn; read(pipe_ends[0], &txn, sizeof txn) == sizeof txn; told = txn) ASSERT_EQ(txn, told + 1);
    close(pipe_ends[0]);

    const auto store = object::open_directory(folder.path() / "lake");
    ASSERT_TRUE(store) << store.error().message;
    const auto now = read_snapshot(**store, kTable);
    if (!now && now.error().code == Code::not_found && told == -1) continue;
    ASSERT_TRUE(now) << now.error().message;
    const int64_t last = now->txn_version("app");
    ASSERT_TRUE(last == told || last == told + 1) << last << " in the table, " << told << " told";
    ASSERT_EQ(now->records(), last + 1);
    int64_t rows = 0;
    for (const DataFile& file : now->files) {
      const auto there = describe_file((*store)->fetch(kTable + "/" + file.path)->path(), file.path, two_columns());
      ASSERT_TRUE(there) << there.error().message;
      rows += there->records;
    }
    ASSERT_EQ(rows, last + 1);
    told = last;
  }
  const auto store = object::open_directory(folder.path() / "lake");
  std::cout << told + 1 << " commits, " << read_snapshot(**store, kTable)->version - told << " of the upkeep\n";
}

}  // namespace
}  // namespace pinflow::delta
