#include "delta/actions.h"

#include <gtest/gtest.h>

namespace pinflow::delta {
namespace {

TEST(Actions, ReadBackWhatIsWritten) {
  Actions actions;
  actions.protocol = Protocol{};
  actions.metadata = Metadata{.id = "1",
                              .name = "pins \"of\" 2020",
                              .schema_json = R"({"type":"struct","fields":[]})",
                              .partition_columns = {"p"},
                              .created_ms = 5,
                              .configuration = {{"delta.appendOnly", "true"}}};
  actions.txns = {{"pinflow:pinterest:batch:pin", 7, 1700000000000}};
  actions.added = {DataFile{.path = "a b/ü%41.parquet",
                            .size = 12,
                            .modification_ms = 34,
                            .records = 2,
                            .stats_json = R"({"numRecords":2,"minValues":{"x":"\"\n"}})",
                            .tags = R"({"k":"v"})"}};
  actions.removed = {Removed{.path = "old.parquet", .deletion_ms = 99, .size = 3, .partition_values = "{}"}};
  actions.commit_info = R"({"timestamp":123,"txnId":"abc"})";
  const std::string lines = write_actions(actions);
  EXPECT_TRUE(lines.starts_with(R"({"commitInfo":)"));
  const auto back = parse_actions(lines, "test");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->protocol, actions.protocol);
  EXPECT_EQ(back->metadata, actions.metadata);
  EXPECT_EQ(back->txns.at(0).app_id, "pinflow:pinterest:batch:pin");
  EXPECT_EQ(back->txns.at(0).version, 7);
  EXPECT_EQ(back->txns.at(0).last_updated_ms, 1700000000000);
  EXPECT_EQ(back->added.at(0).path, "a b/ü%41.parquet");
  EXPECT_EQ(back->added.at(0).stats_json, actions.added.at(0).stats_json);
  EXPECT_EQ(back->added.at(0).records, 2);
  EXPECT_EQ(back->added.at(0).tags, R"({"k":"v"})");
  EXPECT_EQ(back->removed.at(0).path, "old.parquet");
  EXPECT_EQ(back->removed.at(0).size, 3);
  EXPECT_EQ(back->timestamp_ms(), 123);
  EXPECT_EQ(back->txn_id(), "abc");
}

TEST(Actions, PassOverWhatIsNotKnown) {
  const auto actions = parse_actions(
      R"({"domainMetadata":{"domain":"x","configuration":"","removed":false}})"
      "\n\n"
      R"({"cdc":{"path":"c"}})"
      "\r\n"
      R"({"add":{"path":"f","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true,"stats":null,"newField":[1]}})",
      "test");
  ASSERT_TRUE(actions) << actions.error().message;
  ASSERT_EQ(actions->added.size(), 1u);
  EXPECT_EQ(actions->added.at(0).records, -1);
}

TEST(Actions, NameTheLineThatIsBroken) {
  const std::string good = R"({"txn":{"appId":"a","version":1}})"
                           "\n";
  for (const char* bad : {"{", "[1]", R"({"add":{"path":"f"}})", R"({"txn":{"appId":1,"version":1}})",
                          R"({"txn":{"appId":"a"}})", R"({"protocol":{"minReaderVersion":"1","minWriterVersion":2}})",
                          R"({"metaData":{"id":"x","schemaString":"{}","partitionColumns":[]}})"}) {
    const auto actions = parse_actions(good + bad + "\n", "0.json");
    ASSERT_FALSE(actions) << bad;
    EXPECT_EQ(actions.error().code, Code::corrupt) << bad;
    EXPECT_TRUE(actions.error().message.starts_with("0.json, line 2: ")) << actions.error().message;
  }
  const std::string protocol = R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})"
                               "\n";
  EXPECT_EQ(parse_actions(protocol + protocol, "x").error().code, Code::corrupt);
}

TEST(Actions, RefuseFilesThatWeCannotRead) {
  const auto with = [](const std::string& path, const std::string& more) {
    return parse_actions(R"({"add":{"path":")" + path +
                             R"(","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true)" + more + "}}",
                         "x");
  };
  EXPECT_TRUE(with("date=2020-01-01/f:1.parquet", ""));
  EXPECT_EQ(with("s3://bucket/f", "").error().code, Code::unsupported);
  EXPECT_EQ(with("file:/tmp/f", "").error().code, Code::unsupported);
  EXPECT_EQ(with("/tmp/f", "").error().code, Code::unsupported);
  EXPECT_EQ(with("%zz", "").error().code, Code::corrupt);
  const auto vector = with("f", R"(,"deletionVector":{"storageType":"u"})");
  EXPECT_EQ(vector.error().code, Code::unsupported);
  EXPECT_NE(vector.error().message.find("deletionVectors"), std::string::npos);
}

struct Case {
  Protocol protocol;
  std::string why_not_read;  // found in the message; empty: can be read
  std::string why_not_write;
};

TEST(Protocol, IsRefusedByName) {
  const std::vector<Case> cases = {
      {{1, 1}, "", ""},
      {{1, 2}, "", ""},
      {{1, 3}, "", "CHECK constraints"},
      {{1, 4}, "", "change data feed"},
      {{2, 5}, "", "column mapping"},
      {{2, 6}, "", "identity"},
      {{1, 7, {}, {"appendOnly", "invariants"}}, "", ""},
      {{1, 7, {}, {"appendOnly", "rowTracking"}}, "", "'rowTracking'"},
      {{3, 7, {}, {}}, "", ""},
      {{3, 7, {"timestampNtz"}, {"timestampNtz"}}, "'timestampNtz'", "'timestampNtz'"},
      {{3, 7, {"fromTheFuture"}, {"fromTheFuture"}}, "'fromTheFuture'", "'fromTheFuture'"},
      {{4, 7}, "version 4", "version 4"},
      {{1, 8}, "", "version 8"},
      {{0, 2}, "version 0", "version 0"},
  };
  Metadata metadata;
  metadata.schema_json = R"({"type":"struct","fields":[]})";
  for (const Case& one : cases) {
    const std::string name = fmt::format("{}/{}", one.protocol.min_reader, one.protocol.min_writer);
    const auto read = check_readable(one.protocol, metadata), write = check_writable(one.protocol, metadata);
    EXPECT_EQ(read.has_value(), one.why_not_read.empty()) << name;
    EXPECT_EQ(write.has_value(), one.why_not_write.empty()) << name;
    if (!read) {
      EXPECT_EQ(read.error().code, Code::unsupported) << name;
      EXPECT_NE(read.error().message.find(one.why_not_read), std::string::npos) << read.error().message;
    }
    if (!write) {
      EXPECT_EQ(write.error().code, Code::unsupported) << name;
      EXPECT_NE(write.error().message.find(one.why_not_write), std::string::npos) << write.error().message;
    }
  }
}

TEST(Protocol, WhatTheMetadataAsksForIsRefused) {
  const Protocol plain, mapped{2, 5};
  Metadata metadata;
  metadata.schema_json = R"({"type":"struct","fields":[]})";
  metadata.configuration = {{"delta.columnMapping.mode", "name"}};
  EXPECT_NE(check_readable(mapped, metadata).error().message.find("'columnMapping'"), std::string::npos);
  metadata.configuration.clear();
  metadata.partition_columns = {"day"};
  EXPECT_TRUE(check_readable(plain, metadata));
  EXPECT_NE(check_writable(plain, metadata).error().message.find("'day'"), std::string::npos);
  metadata.partition_columns.clear();
  metadata.schema_json =
      R"({"type":"struct","fields":[{"name":"x","type":"long","nullable":true,"metadata":{"delta.invariants":"…"}}]})";
  EXPECT_NE(check_writable(plain, metadata).error().message.find("'x'"), std::string::npos);
  metadata.schema_json = R"({"type":"struct","fields":[]})";
  metadata.provider = "orc";
  EXPECT_EQ(check_readable(plain, metadata).error().code, Code::unsupported);
}

TEST(Paths, AreUris) {
  EXPECT_EQ(encode_path("part-00000-1.parquet"), "part-00000-1.parquet");
  EXPECT_EQ(encode_path("a b%/ü:"), "a%20b%25/%C3%BC%3A");
  EXPECT_EQ(decode_path("a%20b%25/%c3%BC%3A").value(), "a b%/ü:");
  EXPECT_FALSE(decode_path("a%2"));
  EXPECT_FALSE(decode_path("a%"));
}

}  // namespace
}  // namespace pinflow::delta
