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

#include "delta/table.h"
#include "delta/test_support.h"
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

}  // namespace
}  // namespace pinflow::delta
