#include "delta/writer.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/table.h"
#include "delta/test_support.h"
#include "object/memory_store.h"

namespace pinflow::delta {
namespace {

const std::string kTable = "tables/t";
using Fault = object::MemoryStore::Fault;
using Call = object::MemoryStore::Call;

DataFile fresh_file(const std::string& path, const std::vector<Column>& columns = two_columns()) {
  DataFile file = file_named(path);
  file.held_against = schema_mark(columns);
  return file;
}

std::unique_ptr<TableWriter> open(object::Store& store, const std::string& app = "app",
                                  std::vector<Column> columns = two_columns()) {
  auto writer = TableWriter::open(store, {kTable, std::move(columns), app, {}});
  EXPECT_TRUE(writer) << writer.error().message;
  return writer ? std::move(*writer) : nullptr;
}

Committed done(TableWriter& writer, int64_t txn, const std::string& path,
               const std::vector<Column>& columns = two_columns()) {
  const auto committed = writer.append({txn, {fresh_file(path, columns)}, {}});
  EXPECT_TRUE(committed) << committed.error().message;
  return committed.value_or(Committed{});
}

TEST(TableWriter, MakesTheTableAndGoesOn) {
  object::MemoryStore store;
  auto writer =
      TableWriter::open(store, {kTable, two_columns(), "app", {{"delta.logRetentionDuration", "interval 2 days"}}});
  ASSERT_TRUE(writer) << writer.error().message;
  EXPECT_EQ((*writer)->version(), -1);
  EXPECT_EQ((*writer)->txn_version(), -1);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(done(**writer, i, fmt::format("f{}", i)).version, i);
  EXPECT_EQ((*writer)->txn_version(), 29);
  const auto snapshot = read_snapshot(store, kTable);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->files.size(), 30u);
  EXPECT_EQ(snapshot->metadata.configuration.at("delta.logRetentionDuration"), "interval 2 days");
  EXPECT_EQ(snapshot->txn_version("app"), 29);
}

TEST(TableWriter, CostsOnePutACommitAtAnyVersion) {
  object::MemoryStore store;
  auto writer = open(store);
  for (int i = 0; i < 200; ++i) {
    const int64_t before = store.calls();
    done(*writer, i, fmt::format("f{}", i));
    EXPECT_EQ(store.calls() - before, 1) << i;
  }
}

TEST(TableWriter, OpensFromACheckpointWhoseCommitsAreGone) {
  object::MemoryStore store;
  auto writer = open(store);
  for (int i = 0; i < 20; ++i) done(*writer, i, fmt::format("f{}", i));
  const auto snapshot = read_snapshot(store, kTable, 15);
  ASSERT_TRUE(write_checkpoint(store, kTable, *snapshot));
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(store.remove(commit_name(kTable, i)));
  writer = open(store);
  EXPECT_EQ(writer->version(), 19);
  EXPECT_EQ(writer->txn_version(), 19);
  EXPECT_EQ(done(*writer, 20, "f20").version, 20);
  EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 21u);
  ASSERT_TRUE(store.put(checkpoint_name(kTable, 15), "no parquet"));
  EXPECT_EQ(TableWriter::open(store, {kTable, two_columns(), "app", {}}).error().code, Code::corrupt);
}

TEST(TableWriter, GoesOnAfterCommitsOfOthers) {
  object::MemoryStore store;
  auto a = open(store, "a"), b = open(store, "b");
  for (int i = 0; i < 40; ++i) {
    done(*a, i, fmt::format("a{}", i));
    done(*b, i, fmt::format("b{}", i));
    if (i % 3 == 0) done(*b, 1000 + i, fmt::format("b{}b", i));
    if (i % 3 == 0) b = open(store, "b" + std::to_string(i));
  }
  ASSERT_TRUE(a->refresh());
  EXPECT_EQ(a->version(), read_snapshot(store, kTable)->version);
  EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 94u);
}

TEST(TableWriter, ThrowsItsWorkAwayWhereItsTxnIsThere) {
  object::MemoryStore store;
  auto zombie = open(store);
  done(*zombie, 1, "f1");
  auto heir = open(store);
  done(*heir, 2, "f2");
  done(*heir, 3, "f3");
  EXPECT_EQ(done(*zombie, 2, "again").kind, Committed::Kind::already_done);
  EXPECT_EQ(done(*zombie, 3, "again").kind, Committed::Kind::already_done);
  EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 3u);
}

TEST(TableWriter, RefusesToWorkBesideAnotherOfItsApplication) {
  object::MemoryStore store;
  auto one = open(store), other = open(store);
  done(*one, 1, "f1");
  const auto late = other->append({5, {fresh_file("f5")}, {}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::conflict);
  EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 1u);
}

TEST(TableWriter, FindsOutALostAnswer) {
  for (const Code code : {Code::unavailable, Code::already_exists}) {
    object::MemoryStore store;
    auto writer = open(store);
    done(*writer, 1, "f1");
    store.fail_nth("put_if_absent", 1, {{code, "the answer was lost"}, true});
    EXPECT_EQ(done(*writer, 2, "f2").version, 1);
    EXPECT_EQ(done(*writer, 3, "f3").version, 2);
    EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 3u);
  }
}

TEST(TableWriter, ThatGaveUpFindsItsCommitByTheSameCall) {
  object::MemoryStore store;
  auto writer = open(store);
  done(*writer, 1, "f1");
  store.inject([](const Call& call) -> std::optional<Fault> {
    if (call.operation == "put_if_absent") return Fault{{Code::unavailable, "timed out"}, true};
    if (call.operation == "get") return Fault{{Code::unavailable, "timed out"}, false};
    return std::nullopt;
  });
  EXPECT_EQ(writer->append({2, {fresh_file("f2")}, {}}).error().code, Code::unavailable);
  store.inject(nullptr);
  EXPECT_EQ(done(*writer, 2, "f2").kind, Committed::Kind::already_done);
  EXPECT_EQ(open(store)->txn_version(), 2);
  EXPECT_EQ(read_snapshot(store, kTable)->files.size(), 2u);
}

TEST(TableWriter, FailsWhereTheRulesChangedMeanwhile) {
  object::MemoryStore store;
  auto writer = open(store);
  done(*writer, 1, "f1");
  put_commit(store, kTable, 1, first_lines().substr(first_lines().find('\n') + 1));
  EXPECT_EQ(writer->append({2, {fresh_file("f2")}, {}}).error().code, Code::conflict);
  EXPECT_EQ(done(*open(store), 2, "f2").version, 2);
}

TEST(TableWriter, AddsColumnsAtTheEnd) {
  object::MemoryStore store;
  done(*open(store), 1, "f1");
  auto wide = two_columns();
  wide.push_back({"made", "timestamp"});
  auto writer = open(store, "app", wide);
  EXPECT_EQ(done(*writer, 2, "f2", wide).version, 1);
  EXPECT_EQ(done(*writer, 3, "f3", wide).version, 2);
  EXPECT_EQ(read_snapshot(store, kTable)->columns(), wide);
  EXPECT_EQ(read_snapshot(store, kTable, 0)->columns(), two_columns());
  const auto narrow = TableWriter::open(store, {kTable, two_columns(), "app", {}});
  ASSERT_FALSE(narrow);
  EXPECT_EQ(narrow.error().code, Code::invalid);
  EXPECT_NE(narrow.error().message.find("'made' (timestamp)"), std::string::npos) << narrow.error().message;
  // The batch's way of appending does the same.
  wide.push_back({"more", "double"});
  Append request = append_of(kTable, "f4", 4);
  request.columns = wide;
  request.files.front().held_against = schema_mark(wide);
  ASSERT_TRUE(append(store, request));
  EXPECT_EQ(read_snapshot(store, kTable)->columns(), wide);
}

TEST(TableWriter, RefusesFilesThatAreWrong) {
  object::MemoryStore store;
  auto writer = open(store);
  DataFile file = fresh_file("f1");
  EXPECT_EQ(writer->append({1, {file, file}, {}}).error().code, Code::invalid);
  file.held_against = 0;
  EXPECT_EQ(writer->append({1, {file}, {}}).error().code, Code::invalid);
  file = fresh_file("f1");
  file.modification_ms -= 13 * 3'600'000;  // a vacuum may have taken it
  EXPECT_EQ(writer->append({1, {file}, {}}).error().code, Code::invalid);
  EXPECT_EQ(store.list(kTable, {})->size(), 0u);
}

TEST(TableWriter, CommitsAtRisingTimes) {
  object::MemoryStore store;
  const int64_t ahead = now_ms() + 3'600'000;  // a writer whose clock is an hour fast
  put_commit(store, kTable, 0, fmt::format("{{'commitInfo':{{'timestamp':{}}}}}\n", ahead) + first_lines());
  auto writer = open(store);
  done(*writer, 1, "f1");
  done(*writer, 2, "f2");
  const auto entries = history(store, kTable, 10);
  EXPECT_EQ(entries->at(0).timestamp_ms, ahead + 2);
  EXPECT_EQ(entries->at(1).timestamp_ms, ahead + 1);
}

}  // namespace
}  // namespace pinflow::delta
