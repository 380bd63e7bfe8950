#include <gtest/gtest.h>

#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/table.h"
#include "delta/test_support.h"
#include "object/memory_store.h"

namespace pinflow::delta {
namespace {

const std::string kTable = "tables/t";

std::string add(const std::string& path, int records = 1) {
  return fmt::format(
      "{{'add':{{'path':'{}','partitionValues':{{}},'size':10,'modificationTime':5,'dataChange':true,"
      "'stats':'{{\\'numRecords\\':{}}}'}}}}\n",
      path, records);
}
std::string remove(const std::string& path) {
  return fmt::format("{{'remove':{{'path':'{}','deletionTimestamp':1,'dataChange':true}}}}\n", path);
}
std::string txn(const std::string& app, int version) {
  return fmt::format("{{'txn':{{'appId':'{}','version':{},'lastUpdated':3}}}}\n", app, version);
}

class ReadTable : public testing::Test {
 protected:
  void commit(int64_t version, const std::string& lines) { put_commit(store_, kTable, version, lines); }
  Snapshot read() {
    auto snapshot = read_snapshot(store_, kTable);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return snapshot ? *snapshot : Snapshot{};
  }
  // Commits 0 to `last`, each adding f<n>, with the txn "app".
  void commits(int64_t last) {
    for (int64_t v = 0; v <= last; ++v) {
      commit(v, (v == 0 ? first_lines() : "") + add(fmt::format("f{}", v)) + txn("app", static_cast<int>(v)));
    }
  }
  void checkpoint(int64_t version) {
    const auto snapshot = read_snapshot(store_, kTable, version);
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    const auto written = write_checkpoint(store_, kTable, *snapshot);
    ASSERT_TRUE(written) << written.error().message;
  }
  void forget_commits(int64_t first, int64_t last) {
    for (int64_t v = first; v <= last; ++v) ASSERT_TRUE(store_.remove(commit_name(kTable, v)));
  }

  object::MemoryStore store_;
};

TEST_F(ReadTable, ThatIsNotThere) {
  EXPECT_EQ(read_snapshot(store_, kTable).error().code, Code::not_found);
  ASSERT_TRUE(store_.put(kTable + "/part.parquet", "x"));
  EXPECT_EQ(read_snapshot(store_, kTable).error().code, Code::not_found);
  EXPECT_EQ(history(store_, kTable, 10).error().code, Code::not_found);
}

TEST_F(ReadTable, ReplaysAddsRemovesAndTxns) {
  commit(0, "{'commitInfo':{'timestamp':1000,'operation':'WRITE'}}\n" + first_lines() + add("a", 3) + add("b", 4) +
                txn("x", 1));
  commit(1, remove("a") + add("c%20d", 5) + txn("y", 9));
  commit(2, "{'commitInfo':{'timestamp':3000}}\n" + add("a", 6) + txn("x", 0));  // a comes back; a txn may go down
  const Snapshot now = read();
  EXPECT_EQ(now.version, 2);
  EXPECT_EQ(now.timestamp_ms, 3000);
  EXPECT_EQ(paths_of(now.files), (std::vector<std::string>{"b", "c d", "a"}));
  EXPECT_EQ(now.records(), 15);
  EXPECT_EQ(now.bytes(), 30);
  EXPECT_TRUE(now.tombstones.empty());
  EXPECT_EQ(now.txn_version("x"), 0);
  EXPECT_EQ(now.txn_version("y"), 9);
  EXPECT_EQ(now.txn_version("z"), -1);
  EXPECT_EQ(now.columns(), two_columns());

  const auto before = read_snapshot(store_, kTable, 1);
  ASSERT_TRUE(before);
  EXPECT_EQ(paths_of(before->files), (std::vector<std::string>{"b", "c d"}));
  EXPECT_EQ(before->tombstones.at(0).path, "a");
  EXPECT_EQ(before->txn_version("x"), 1);
  EXPECT_EQ(paths_of(added_since(*before, now)), (std::vector<std::string>{"a"}));
  EXPECT_EQ(read_snapshot(store_, kTable, 3).error().code, Code::not_found);
  EXPECT_EQ(read_snapshot(store_, kTable, -1).error().code, Code::not_found);
}

TEST_F(ReadTable, AFileAddedAgainIsHeldOnceAsItWasLast) {
  commit(0, first_lines() + add("a", 3));
  commit(1, add("a", 2));
  EXPECT_EQ(read().files.size(), 1u);
  EXPECT_EQ(read().records(), 2);
}

TEST_F(ReadTable, WithAHoleIsRefused) {
  commits(3);
  forget_commits(1, 1);
  const auto snapshot = read_snapshot(store_, kTable);
  EXPECT_EQ(snapshot.error().code, Code::corrupt);
  EXPECT_NE(snapshot.error().message.find("version 1 of 3"), std::string::npos) << snapshot.error().message;
  EXPECT_TRUE(read_snapshot(store_, kTable, 0));
}

TEST_F(ReadTable, WithoutProtocolOrMetadataIsRefused) {
  commit(0, add("a"));
  EXPECT_EQ(read_snapshot(store_, kTable).error().code, Code::corrupt);
}

TEST_F(ReadTable, OfANewerProtocolIsRefusedByName) {
  commits(1);
  commit(2,
         "{'protocol':{'minReaderVersion':3,'minWriterVersion':7,'readerFeatures':['deletionVectors'],'writerFeatures':"
         "['deletionVectors']}}\n");
  const auto snapshot = read_snapshot(store_, kTable);
  EXPECT_EQ(snapshot.error().code, Code::unsupported);
  EXPECT_NE(snapshot.error().message.find("'deletionVectors'"), std::string::npos);
  const auto done = append(store_, append_of(kTable, "z", 9));
  EXPECT_EQ(done.error().code, Code::unsupported);
}

TEST_F(ReadTable, FromACheckpointReadsTheSame) {
  commit(0, first_lines() + add("a b", 3) + add("old", 1) + txn("x", 4) +
                "{'add':{'path':'tagged','partitionValues':{},'size':1,'modificationTime':2,'dataChange':true,'tags':{'"
                "k':'v'}}}\n");
  commit(1, fmt::format("{{'remove':{{'path':'old','deletionTimestamp':{},'dataChange':true}}}}\n", INT64_MAX / 2) +
                remove("gone"));
  const Snapshot before = read();
  checkpoint(1);
  forget_commits(0, 1);
  const Snapshot after = read();
  EXPECT_EQ(after.version, 1);
  EXPECT_EQ(after.checkpoint_version, 1);
  EXPECT_EQ(after.protocol, before.protocol);
  EXPECT_EQ(after.metadata, before.metadata);
  ASSERT_EQ(paths_of(after.files), paths_of(before.files));
  for (size_t i = 0; i < after.files.size(); ++i) {
    EXPECT_EQ(after.files[i].size, before.files[i].size);
    EXPECT_EQ(after.files[i].modification_ms, before.files[i].modification_ms);
    EXPECT_EQ(after.files[i].stats_json, before.files[i].stats_json);
    EXPECT_EQ(after.files[i].records, before.files[i].records);
    EXPECT_EQ(after.files[i].partition_values, "{}");
    EXPECT_EQ(after.files[i].tags, before.files[i].tags);
  }
  EXPECT_EQ(after.txn_version("x"), 4);
  EXPECT_EQ(after.txns.at("x").last_updated_ms, 3);
  ASSERT_EQ(after.tombstones.size(), 1u);  // "gone" has expired
  EXPECT_EQ(after.tombstones.at(0).path, "old");
  EXPECT_EQ(after.tombstones.at(0).deletion_ms, INT64_MAX / 2);
}

TEST_F(ReadTable, FromACheckpointAndTheCommitsAfterIt) {
  commits(7);
  checkpoint(5);
  forget_commits(0, 4);
  commit(8, remove("f2") + txn("app", 8));
  const Snapshot now = read();
  EXPECT_EQ(now.version, 8);
  EXPECT_EQ(paths_of(now.files), (std::vector<std::string>{"f0", "f1", "f3", "f4", "f5", "f6", "f7"}));
  EXPECT_EQ(now.txn_version("app"), 8);
  EXPECT_TRUE(read_snapshot(store_, kTable, 5));
  EXPECT_EQ(read_snapshot(store_, kTable, 4).error().code, Code::not_found);
  const auto hint = store_.get(hint_name(kTable));
  ASSERT_TRUE(hint);
  EXPECT_TRUE(hint->starts_with(R"({"version":5,"size":9,"sizeInBytes":)")) << *hint;
  EXPECT_TRUE(hint->ends_with(R"("numOfAddFiles":6})")) << *hint;
}

TEST_F(ReadTable, WhateverTheHintSays) {
  commits(9);
  checkpoint(3);
  checkpoint(7);
  for (const std::string hint :
       {R"({"version":3,"size":1})", R"({"version":7})", R"({"version":5})", R"({"version":999})", R"({"version":-1})",
        R"({"version":"7"})", "{", "", "[]", "\xff\xfe"}) {
    ASSERT_TRUE(store_.put(hint_name(kTable), hint));
    EXPECT_EQ(read().files.size(), 10u) << hint;
    EXPECT_EQ(read().checkpoint_version, 7) << hint;
    EXPECT_EQ(read_snapshot(store_, kTable, 4)->files.size(), 5u) << hint;
    EXPECT_EQ(read_snapshot(store_, kTable, 2)->files.size(), 3u) << hint;
  }
  ASSERT_TRUE(store_.remove(hint_name(kTable)));
  EXPECT_EQ(read().files.size(), 10u);
  forget_commits(0, 6);
  EXPECT_EQ(read().files.size(), 10u);
}

TEST_F(ReadTable, ABrokenCheckpointIsPassedOver) {
  commits(9);
  checkpoint(3);
  ASSERT_TRUE(store_.put(checkpoint_name(kTable, 7), "no parquet"));
  ASSERT_TRUE(store_.put(hint_name(kTable), R"({"version":7})"));
  EXPECT_EQ(read().files.size(), 10u);
  forget_commits(0, 2);
  EXPECT_EQ(read().files.size(), 10u);  // from the checkpoint at 3
  EXPECT_EQ(read().checkpoint_version, 3);
  forget_commits(3, 5);
  EXPECT_EQ(read_snapshot(store_, kTable).error().code, Code::corrupt);
}

TEST_F(ReadTable, PartsOfACheckpointCountWhenAllAreThere) {
  commits(4);
  checkpoint(2);
  const std::string whole = store_.get(checkpoint_name(kTable, 2)).value();
  const std::string part = kTable + "/_delta_log/00000000000000000004.checkpoint.000000000{}.0000000002.parquet";
  ASSERT_TRUE(store_.put(fmt::format(fmt::runtime(part), 1), whole));
  EXPECT_EQ(read().checkpoint_version, 2);
}

TEST_F(ReadTable, ACheckpointOfAnUnknownKindIsNamed) {
  commits(3);
  ASSERT_TRUE(store_.put(
      kTable + "/_delta_log/00000000000000000003.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json", "{}"));
  EXPECT_TRUE(read_snapshot(store_, kTable));
  forget_commits(0, 2);
  const auto snapshot = read_snapshot(store_, kTable);
  EXPECT_EQ(snapshot.error().code, Code::unsupported);
  EXPECT_NE(snapshot.error().message.find("'v2Checkpoint'"), std::string::npos) << snapshot.error().message;
}

TEST_F(ReadTable, RefreshReadsOnlyWhatIsNew) {
  commits(3);
  const Snapshot base = read();
  EXPECT_EQ(refresh(store_, kTable, base)->version, 3);
  commit(4, add("f4"));
  commit(5, add("f5") + remove("f0"));
  const int64_t calls = store_.calls();
  const auto now = refresh(store_, kTable, base);
  ASSERT_TRUE(now);
  EXPECT_EQ(store_.calls() - calls, 3);  // one listing, two commits
  EXPECT_EQ(now->version, 5);
  EXPECT_EQ(paths_of(now->files), (std::vector<std::string>{"f1", "f2", "f3", "f4", "f5"}));
  checkpoint(5);
  forget_commits(0, 4);
  EXPECT_EQ(refresh(store_, kTable, base)->files.size(), 5u);
}

TEST_F(ReadTable, HistoryIsNewestFirst) {
  commits(2);
  commit(3, "{'commitInfo':{'timestamp':77,'operation':'DELETE','pinflow':{'rows':5}}}\n" + remove("f1"));
  commit(4,
         add("g", 7) + "{'add':{'path':'h','partitionValues':{},'size':1,'modificationTime':2,'dataChange':true}}\n");
  const auto entries = history(store_, kTable, 3);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ(entries->at(0).version, 4);
  EXPECT_EQ(entries->at(0).files_added, 2);
  EXPECT_EQ(entries->at(0).records_added, -1);
  EXPECT_EQ(entries->at(1).operation, "DELETE");
  EXPECT_EQ(entries->at(1).timestamp_ms, 77);
  EXPECT_EQ(entries->at(1).files_removed, 1);
  EXPECT_EQ(entries->at(1).commit_info, R"({"timestamp":77,"operation":"DELETE","pinflow":{"rows":5}})");
  EXPECT_EQ(entries->at(2).txns.at(0).version, 2);
  EXPECT_EQ(entries->at(2).records_added, 1);
}

TEST_F(ReadTable, TablesAreFoundByTheirLogs) {
  commits(0);
  put_commit(store_, "tables/dead", 0, first_lines());
  ASSERT_TRUE(store_.put("tables/none/part.parquet", "x"));
  EXPECT_EQ(list_tables(store_, "tables").value(), (std::vector<std::string>{"dead", "t"}));
}

TEST(LogNames, AreRead) {
  using Kind = LogFile::Kind;
  const std::string v = "00000000000000000042";
  EXPECT_EQ(parse_log_name(v + ".json").kind, Kind::commit);
  EXPECT_EQ(parse_log_name(v + ".json").version, 42);
  EXPECT_EQ(parse_log_name(v + ".checkpoint.parquet").kind, Kind::checkpoint);
  const LogFile part = parse_log_name(v + ".checkpoint.0000000002.0000000003.parquet");
  EXPECT_EQ(part.kind, Kind::checkpoint_part);
  EXPECT_EQ(part.part, 2);
  EXPECT_EQ(part.parts, 3);
  EXPECT_EQ(parse_log_name(v + ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet").kind, Kind::checkpoint_v2);
  for (const std::string& other : {v + ".crc", v + "." + v + ".compacted.json", std::string("_last_checkpoint"),
                                   std::string("42.json"), v + "0.json", std::string("-0000000000000000042.json"),
                                   std::string(), std::string("_sidecars/x.parquet"), v + ".json.tmp"}) {
    EXPECT_EQ(parse_log_name(other).kind, Kind::other) << other;
  }
}

}  // namespace
}  // namespace pinflow::delta
