#include "delta/upkeep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/clock.h"
#include "delta/checkpoint.h"
#include "delta/clean_log.h"
#include "delta/data_file.h"
#include "delta/fold.h"
#include "delta/log_names.h"
#include "delta/properties.h"
#include "delta/scan.h"
#include "delta/table.h"
#include "delta/test_support.h"
#include "delta/vacuum.h"
#include "delta/writer.h"
#include "object/directory_store.h"
#include "object/memory_store.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

const std::string kTable = "tables/t";
using Call = object::MemoryStore::Call;
using Fault = object::MemoryStore::Fault;

std::vector<Column> wide_columns() {
  auto columns = two_columns();
  columns.push_back({"made", "timestamp"});
  return columns;
}

// A table with real files: commit i has the row (i, 'n<i>'); from `wide_from` on also made = second i of 1970.
class UpkeepTest : public testing::Test {
 protected:
  void write(int64_t from, int64_t to, bool wide = false) {
    const auto columns = wide ? wide_columns() : two_columns();
    auto writer = TableWriter::open(store_, {kTable, columns, "app", {}});
    ASSERT_TRUE(writer) << writer.error().message;
    for (int64_t i = from; i < to; ++i) {
      const auto local = store_.staging() / "rows.parquet";
      make_parquet(
          local,
          fmt::format("SELECT CAST({0} AS BIGINT) AS id, 'n{0}' AS name{1}", i,
                      wide ? fmt::format(", TIMESTAMPTZ '1970-01-01 00:00:00Z' + to_seconds({}) AS made", i) : ""));
      auto file = put_data_file(store_, kTable, local, columns);
      ASSERT_TRUE(file) << file.error().message;
      const auto committed = (*writer)->append({i, {*file}, {}});
      ASSERT_TRUE(committed) << committed.error().message;
    }
  }

  Snapshot now() {
    const auto snapshot = read_snapshot(store_, kTable);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return snapshot.value_or(Snapshot{});
  }

  // "id:name:made" of each row, in the order of ids.
  std::vector<std::string> rows(const Snapshot& snapshot) {
    std::vector<object::LocalFile> files;
    std::vector<std::filesystem::path> paths;
    for (const DataFile& file : snapshot.files) {
      auto local = store_.fetch(kTable + "/" + file.path);
      EXPECT_TRUE(local) << local.error().message;
      if (!local) return {};
      paths.push_back(local->path());
      files.push_back(std::move(*local));
    }
    const auto groups = group_files(snapshot.columns(), snapshot.files, paths);
    auto database = sql::Database::open({});
    auto connection = (*database)->connect();
    const auto table = connection->query(fmt::format(
        "SELECT {} AS line FROM {} ORDER BY id",
        snapshot.columns().size() == 3 ? "id || ':' || name || ':' || coalesce(CAST(epoch(made) AS BIGINT), -1)"
                                       : "id || ':' || name",
        scan_sql(snapshot.columns(), *groups)));
    EXPECT_TRUE(table) << table.error().message;
    std::vector<std::string> lines;
    for (const auto& row : table->rows) lines.push_back(row.front().text());
    return lines;
  }

  FoldOptions all_files() {
    FoldOptions options;
    options.before_ms = now_ms() + 1;
    return options;
  }

  object::MemoryStore store_;
};

TEST_F(UpkeepTest, FoldsSmallFilesIntoOneWithoutChangingData) {
  write(0, 12);
  write(12, 20, true);
  const Snapshot before = now();
  const auto folded = fold(store_, kTable, before, all_files());
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_EQ(folded->files, 20);
  EXPECT_EQ(folded->made, 1);
  const Snapshot after = now();
  EXPECT_EQ(after.version, before.version + 1);
  ASSERT_EQ(after.files.size(), 1u);
  EXPECT_FALSE(after.files.front().data_change);
  EXPECT_EQ(after.records(), 20);
  EXPECT_EQ(after.tombstones.size(), 20u);
  for (const Removed& removed : after.tombstones) EXPECT_FALSE(removed.data_change);
  EXPECT_EQ(after.txn_version("app"), before.txn_version("app"));
  EXPECT_EQ(rows(after), rows(before));
  EXPECT_EQ(rows(after).at(3), "3:n3:-1");
  EXPECT_EQ(rows(after).at(15), "15:n15:15");
  EXPECT_EQ(history(store_, kTable, 1)->front().operation, "OPTIMIZE");
  EXPECT_EQ(fold(store_, kTable, after, all_files())->files, 0);
  // A writer goes on.
  write(20, 22, true);
  EXPECT_EQ(rows(now()).size(), 22u);
}

TEST_F(UpkeepTest, LeavesFilesOfTheHourThatHasBegun) {
  write(0, 10);
  FoldOptions options = all_files();
  options.before_ms = now_ms() - 3'600'000;
  EXPECT_EQ(fold(store_, kTable, now(), options)->files, 0);
}

TEST_F(UpkeepTest, FoldsBesideAppends) {
  write(0, 10);
  const Snapshot before = now();
  int appends = 0;
  store_.inject([&](const Call& call) -> std::optional<Fault> {
    if (call.operation == "put_if_absent" && call.name.ends_with(".json") && appends < 5) {
      ++appends;
      put_commit(store_, kTable, 9 + appends, fmt::format("{{'txn':{{'appId':'other','version':{}}}}}\n", appends));
    }
    return std::nullopt;
  });
  const auto folded = fold(store_, kTable, before, all_files());
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_EQ(folded->files, 10);
  EXPECT_GE(now().version, 11);
  EXPECT_EQ(now().files.size(), 1u);
  EXPECT_EQ(rows(now()).size(), 10u);
}

TEST_F(UpkeepTest, FoldsNothingThatOthersRemoved) {
  write(0, 10);
  const Snapshot before = now();
  put_commit(
      store_, kTable, 10,
      fmt::format("{{'remove':{{'path':'{}','deletionTimestamp':1,'dataChange':true}}}}\n", before.files[3].path));
  const auto folded = fold(store_, kTable, before, all_files());
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_TRUE(folded->raced);
  EXPECT_EQ(folded->files, 0);
  EXPECT_EQ(now().version, 10);
  EXPECT_EQ(rows(now()).size(), 9u);
  size_t files = 0;  // the fold's own is gone
  const auto objects = store_.list(kTable + "/part");
  for (const auto& object : *objects) files += object.name.ends_with(".parquet") ? 1 : 0;
  EXPECT_EQ(files, 10u);
}

TEST_F(UpkeepTest, AFoldedFileStandsWhereItsRowsStood) {
  write(0, 10);
  const Snapshot before = now();
  write(10, 12);
  ASSERT_EQ(fold(store_, kTable, before, all_files())->files, 10);
  const Snapshot after = now();
  ASSERT_EQ(after.files.size(), 3u);
  EXPECT_EQ(after.files[0].records, 10);
  EXPECT_EQ(after.files[0].modification_ms, before.files.back().modification_ms);
  ASSERT_TRUE(write_checkpoint(store_, kTable, after));
  EXPECT_EQ(paths_of(now().files), paths_of(after.files));
}

TEST_F(UpkeepTest, TwoFoldersAtOnceFoldOnce) {
  write(0, 10);
  const Snapshot before = now();
  EXPECT_EQ(fold(store_, kTable, before, all_files())->files, 10);
  const auto second = fold(store_, kTable, before, all_files());
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->raced);
  EXPECT_EQ(rows(now()).size(), 10u);
}

TEST_F(UpkeepTest, RefusesToFoldWhatItsCommitsDoNotCount) {
  write(0, 9);
  Snapshot wrong = now();
  wrong.files[2].records = 7;
  EXPECT_EQ(fold(store_, kTable, wrong, all_files()).error().code, Code::corrupt);
  EXPECT_EQ(now().version, 8);
}

TEST(ChooseFiles, TakesTheSmallAndLeavesTheLarge) {
  const auto chosen = [](const std::vector<int64_t>& sizes, FoldOptions options = {}) {
    std::vector<DataFile> files;
    for (const int64_t size : sizes) {
      files.emplace_back();
      files.back().size = size;
    }
    options.before_ms = 1;
    options.least_files = std::min(options.least_files, 3);
    return choose_files(files, options);
  };
  using Places = std::vector<size_t>;
  EXPECT_EQ(chosen({5, 5, 5, 5}), (Places{0, 1, 2, 3}));
  EXPECT_EQ(chosen({100, 5, 5, 5}), (Places{1, 2, 3}));  // 100 is rewritten when the others weigh as much
  EXPECT_EQ(chosen({15, 5, 5, 5}), (Places{0, 1, 2, 3}));
  EXPECT_EQ(chosen({5, 5}), (Places{}));
  EXPECT_EQ(chosen({1, 10, 100}), (Places{}));
  EXPECT_EQ(chosen({}), (Places{}));
  FoldOptions few;
  few.most_files = 3;
  EXPECT_EQ(chosen({5, 5, 5, 5, 5}, few), (Places{0, 1, 2}));
  FoldOptions small;
  small.bytes = 17;
  EXPECT_EQ(chosen({5, 5, 5, 5, 5}, small), (Places{0, 1, 2}));
  small.below_bytes = 5;
  EXPECT_EQ(chosen({5, 5, 4, 4, 4}, small), (Places{2, 3, 4}));
}

TEST_F(UpkeepTest, CleansTheLogUpToAnOldCheckpoint) {
  write(0, 30);
  for (const int64_t version : {10, 20})
    ASSERT_TRUE(write_checkpoint(store_, kTable, *read_snapshot(store_, kTable, version)));
  EXPECT_EQ(clean_log(store_, kTable, 0, now_ms(), 1000)->removed, 0) << "all is young";
  const int64_t later = now_ms() + 3 * kDayMs;
  EXPECT_EQ(clean_log(store_, kTable, 4 * kDayMs, later, 1000)->removed, 0);
  auto cleaned = clean_log(store_, kTable, kDayMs, later, 5);
  ASSERT_TRUE(cleaned) << cleaned.error().message;
  EXPECT_EQ(cleaned->removed, 5);
  EXPECT_TRUE(cleaned->more);
  cleaned = clean_log(store_, kTable, kDayMs, later, 1000);
  EXPECT_EQ(cleaned->oldest, 20);
  EXPECT_FALSE(store_.stat(commit_name(kTable, 19)));
  EXPECT_FALSE(store_.stat(checkpoint_name(kTable, 10)));
  EXPECT_TRUE(store_.stat(commit_name(kTable, 20)));
  EXPECT_EQ(rows(now()).size(), 30u);
  EXPECT_EQ(read_snapshot(store_, kTable, 25)->files.size(), 26u);
  const auto gone = read_snapshot(store_, kTable, 12);
  EXPECT_EQ(gone.error().code, Code::not_found);
  EXPECT_NE(gone.error().message.find("was cleaned away; the oldest that its log still holds is 20"), std::string::npos)
      << gone.error().message;
  write(30, 32);
  EXPECT_EQ(now().version, 31);
}

TEST_F(UpkeepTest, CleansNothingBeforeACheckpointThatCannotBeRead) {
  write(0, 20);
  ASSERT_TRUE(store_.put(checkpoint_name(kTable, 12), "no parquet"));
  EXPECT_EQ(clean_log(store_, kTable, 0, now_ms() + kDayMs, 1000)->removed, 0);
  EXPECT_EQ(now().files.size(), 20u);
}

TEST_F(UpkeepTest, VacuumRemovesOnlyWhatNobodyCanAskFor) {
  write(0, 10);
  ASSERT_TRUE(store_.put(kTable + "/part-litter.parquet", "x"));
  ASSERT_TRUE(store_.put(kTable + "/_change_data/part-cdc.parquet", "x"));
  ASSERT_TRUE(store_.put(kTable + "/notes.txt", "x"));
  ASSERT_EQ(fold(store_, kTable, now(), all_files())->files, 10);
  EXPECT_EQ(vacuum(store_, kTable, 7 * kDayMs, now_ms(), 1000)->files, 0);
  // Without any retention: what was removed goes, what a writer may be about to commit stays.
  EXPECT_EQ(vacuum(store_, kTable, 0, now_ms() + 1000, 4)->files, 4);
  const auto rest = vacuum(store_, kTable, 0, now_ms() + 1000, 1000);
  EXPECT_EQ(rest->files, 6);
  EXPECT_FALSE(rest->more);
  EXPECT_TRUE(store_.stat(kTable + "/part-litter.parquet"));
  EXPECT_EQ(vacuum(store_, kTable, 0, now_ms() + kLeastOrphanAgeMs + 1000, 1000)->files, 1);
  EXPECT_FALSE(store_.stat(kTable + "/part-litter.parquet"));
  EXPECT_TRUE(store_.stat(kTable + "/_change_data/part-cdc.parquet"));
  EXPECT_TRUE(store_.stat(kTable + "/notes.txt"));
  EXPECT_EQ(rows(now()).size(), 10u);
}

TEST_F(UpkeepTest, StepsDoOneThingAfterAnother) {
  EXPECT_TRUE(maintain(store_, kTable)->nothing()) << "there is no table";
  write(0, 25);
  UpkeepOptions options;
  options.look_every_ms = 0;
  options.fold_before_ms = now_ms() + 1;
  Upkeep upkeep(store_, kTable, options);
  auto report = upkeep.step();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->checkpoints, 1);
  EXPECT_EQ(now().checkpoint_version, 24);
  report = upkeep.step();
  EXPECT_EQ(report->files_folded, 25);
  EXPECT_TRUE(report->more);
  report = upkeep.step();
  EXPECT_TRUE(report->nothing());
  EXPECT_FALSE(report->more);
  EXPECT_EQ(rows(now()).size(), 25u);
  // At rest a step costs a few small requests.
  const int64_t before = store_.calls();
  EXPECT_TRUE(upkeep.step()->nothing());
  EXPECT_LE(store_.calls() - before, 4);
}

// Each call of a whole upkeep that changes something fails once, before or after its work.
TEST_F(UpkeepTest, AFailureAtEveryCallLeavesATableThatReadsTheSame) {
  write(0, 1);
  const std::string bytes = store_.get(kTable + "/" + now().files.front().path).value();
  int64_t txn = 1;
  const auto add_files = [&] {
    auto writer = TableWriter::open(store_, {kTable, two_columns(), "app", {}});
    ASSERT_TRUE(writer) << writer.error().message;
    for (const int64_t end = txn + 9; txn < end; ++txn) {
      const auto local = store_.staging() / "rows.parquet";
      std::ofstream(local, std::ios::binary) << bytes;
      auto file = put_data_file(store_, kTable, local, two_columns());
      ASSERT_TRUE(file && (*writer)->append({txn, {*file}, {}}));
    }
  };
  for (const bool after_work : {false, true}) {
    bool failed = true;
    for (int64_t n = 1; failed && n <= 5; ++n) {
      add_files();
      int64_t call = 0;
      failed = false;
      store_.inject([&](const Call& one) -> std::optional<Fault> {
        if (!(one.operation.starts_with("put") || one.operation == "remove") || ++call != n) return std::nullopt;
        failed = true;
        return Fault{{Code::unavailable, "timed out"}, after_work};
      });
      UpkeepOptions options;
      options.fold_before_ms = now_ms() + 1;
      options.file_retention_ms = 0;
      options.removals = 3;
      (void)maintain(store_, kTable, options);
      store_.inject(nullptr);
      ASSERT_EQ(now().records(), txn) << "the call " << n;
      for (const DataFile& file : now().files) ASSERT_TRUE(store_.stat(kTable + "/" + file.path)) << "the call " << n;
    }
  }
  EXPECT_EQ(rows(now()), std::vector<std::string>(static_cast<size_t>(txn), "0:n0"));
}

TEST(Checkpoint, OfMorePagesThanOneIsRead) {
  object::MemoryStore store;
  put_commit(store, kTable, 0, first_lines());
  Snapshot snapshot = *read_snapshot(store, kTable);
  const int64_t count = 2 * kCheckpointPage + 17;
  for (int64_t i = 0; i < count; ++i) snapshot.files.push_back(file_named(fmt::format("f{:07}", i)));
  ASSERT_TRUE(write_checkpoint(store, kTable, snapshot));
  ASSERT_TRUE(store.remove(commit_name(kTable, 0)));
  const auto read = read_snapshot(store, kTable);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->files.size(), static_cast<size_t>(count));
  EXPECT_EQ(read->files.back().path, snapshot.files.back().path);
  EXPECT_EQ(read->records(), count);
  EXPECT_EQ(read_checkpoint(store, {checkpoint_name(kTable, 0)}, true)->added.size(), 0u);
}

TEST(Properties, ReadIntervals) {
  EXPECT_EQ(parse_interval("interval 30 days"), 30 * kDayMs);
  EXPECT_EQ(parse_interval("INTERVAL 1 Week"), 7 * kDayMs);
  EXPECT_EQ(parse_interval("1 day 12 hours"), kDayMs * 3 / 2);
  EXPECT_EQ(parse_interval("interval 0 seconds"), 0);
  for (const char* text :
       {"", "interval", "interval x days", "interval 3", "interval 1 month", "interval -1 days", "1 day 2"})
    EXPECT_EQ(parse_interval(text).error().code, Code::invalid) << text;
  Metadata metadata;
  EXPECT_EQ(log_retention_ms(metadata), 30 * kDayMs);
  EXPECT_EQ(file_retention_ms(metadata), 7 * kDayMs);
  EXPECT_TRUE(log_cleanup_enabled(metadata));
  metadata.configuration = {{"delta.deletedFileRetentionDuration", "interval 2 hours"},
                            {"delta.enableExpiredLogCleanup", "false"},
                            {"delta.logRetentionDuration", "for ever"}};
  EXPECT_EQ(file_retention_ms(metadata), 7'200'000);
  EXPECT_FALSE(log_cleanup_enabled(metadata));
  EXPECT_EQ(log_retention_ms(metadata).error().code, Code::invalid);
}

}  // namespace
}  // namespace pinflow::delta
