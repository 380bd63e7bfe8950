#include "delta/data_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "delta/parquet_footer.h"
#include "delta/stats.h"
#include "delta/test_support.h"
#include "object/memory_store.h"

namespace pinflow::delta {
namespace {

Result<DataFile> describe_select(const std::string& select, const std::vector<Column>& columns) {
  const TemporaryFolder folder;
  make_parquet(folder.path() / "f.parquet", select);
  return describe_file(folder.path() / "f.parquet", "f.parquet", columns);
}

TEST(DataFile, SaysWhatAFileHolds) {
  const auto file = describe_select(
      "SELECT * FROM (VALUES (5::BIGINT, 7::INTEGER, 'b', TIMESTAMPTZ '2020-08-28 03:52:47.123456Z', [1.5, "
      "2.5]::DOUBLE[], 0.5::DOUBLE, true,"
      " DATE '2020-08-28'), (-3, NULL, 'a\"b', '1969-12-31 23:59:59.9995Z', NULL, NULL, NULL, '0999-01-01')) t(l, i, "
      "s, t, a, d, b, day)",
      {{"l", "long"},
       {"i", "integer"},
       {"s", "string"},
       {"t", "timestamp"},
       {"a", "array<double>"},
       {"d", "double"},
       {"b", "boolean"},
       {"day", "date"}});
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->records, 2);
  EXPECT_GT(file->size, 100);
  EXPECT_EQ(file->stats_json,
            R"({"numRecords":2,)"
            R"("minValues":{"l":-3,"i":7,"s":"a\"b","t":"1969-12-31T23:59:59.999Z","day":"0999-01-01"},)"
            R"("maxValues":{"l":5,"i":7,"s":"b","t":"2020-08-28T03:52:47.123Z","day":"2020-08-28"},)"
            R"("nullCount":{"l":0,"i":1,"s":0,"t":0,"d":1,"b":1,"day":0},"tightBounds":true})");
}

TEST(DataFile, CountsOverAllRowGroupsAndSaysNothingOfEmptyOnes) {
  const std::vector<Column> columns = {{"x", "long"}, {"n", "string"}};
  const auto big = describe_select(
      "SELECT range AS x, CASE WHEN range < 200000 THEN NULL ELSE 'v' || range END AS n FROM range(300000)", columns);
  ASSERT_TRUE(big) << big.error().message;
  EXPECT_EQ(big->stats_json,
            R"({"numRecords":300000,"minValues":{"x":0,"n":"v200000"},"maxValues":{"x":299999,"n":"v299999"},)"
            R"("nullCount":{"x":0,"n":200000},"tightBounds":true})");
  const auto empty = describe_select("SELECT 1::BIGINT AS x, 'a' AS n WHERE false", columns);
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(empty->records, 0);
  const auto nulls = describe_select("SELECT NULL::BIGINT AS x, NULL::VARCHAR AS n", columns);
  ASSERT_TRUE(nulls) << nulls.error().message;
  EXPECT_EQ(nulls->stats_json,
            R"({"numRecords":1,"minValues":{},"maxValues":{},"nullCount":{"x":1,"n":1},"tightBounds":true})");
}

TEST(DataFile, CutsLongTexts) {
  const std::vector<Column> columns = {{"s", "string"}};
  const auto file = describe_select("SELECT repeat('ä', 40) || 'z' AS s", columns);
  ASSERT_TRUE(file) << file.error().message;
  std::string least, most;
  for (int i = 0; i < 32; ++i) least += "ä";
  for (int i = 0; i < 31; ++i) most += "ä";
  EXPECT_NE(file->stats_json.find("\"minValues\":{\"s\":\"" + least + "\"}"), std::string::npos) << file->stats_json;
  EXPECT_NE(file->stats_json.find("\"maxValues\":{\"s\":\"" + most + "å\"}"), std::string::npos) << file->stats_json;
}

TEST(Bounds, HoldInTheOrderOfBytes) {
  EXPECT_EQ(lower_bound("short"), "short");
  EXPECT_EQ(upper_bound("short"), "short");
  EXPECT_EQ(upper_bound(""), "");
  const std::string a31(31, 'a');
  EXPECT_EQ(upper_bound(a31 + "bc"), a31 + "c");
  EXPECT_EQ(upper_bound(a31 + "\x7f" + "x"), a31 + "\u0080");
  EXPECT_EQ(upper_bound(a31 + "\uD7FFx"), a31 + "\uE000");
  EXPECT_EQ(upper_bound(a31 + "\U0010FFFFx"), std::string(30, 'a') + "b");
  std::string top;
  for (int i = 0; i < 33; ++i) top += "\U0010FFFF";
  EXPECT_EQ(upper_bound(top), "");
  for (const std::string last : {"a", "\u07FF", "\uFFFF", "\U0001F600"}) {
    const std::string text = a31 + last + "tail";
    EXPECT_LE(lower_bound(text), text);
    EXPECT_GT(upper_bound(text), text);
  }
}

struct Wrong {
  std::string type;   // the table's
  std::string value;  // SQL
  std::string words;  // of the message
};

TEST(DataFile, OfAnotherSchemaIsRefused) {
  const std::vector<Wrong> wrongs = {
      {"array<double>", "[-88.8298, -170.188]", "LIST of INT32 DECIMAL(7,4)"},
      {"array<double>", "1.5::DOUBLE", "not a list"},
      {"double", "1.5", "DECIMAL(2,1)"},
      {"double", "[1.5::DOUBLE]", "LIST of DOUBLE"},
      {"float", "1.5::DOUBLE", "DOUBLE, not FLOAT"},
      {"long", "1::INTEGER", "INT32"},
      {"long", "1::UBIGINT", "INT(64, unsigned)"},
      {"integer", "1::BIGINT", "INT64"},
      {"integer", "1::SMALLINT", "INT(16, signed)"},
      {"timestamp", "TIMESTAMP '2020-01-01'", "TIMESTAMP(not UTC, micros)"},
      {"timestamp", "TIMESTAMP_NS '2020-01-01'", "nanos"},
      {"timestamp", "1::BIGINT", "INT64"},
      {"long", "TIMESTAMPTZ '2020-01-01'", "TIMESTAMP(UTC, micros)"},
      {"string", "'x'::BLOB", "BYTE_ARRAY, not BYTE_ARRAY STRING"},
      {"binary", "'x'", "STRING"},
      {"date", "1::INTEGER", "INT32"},
      {"boolean", "1::INTEGER", "INT32"},
      {"decimal(10,2)", "1.5::DECIMAL(10,3)", "DECIMAL(10,3)"},
      {"string", "{'a': 'x'}", "group"},
  };
  for (const Wrong& wrong : wrongs) {
    const auto file = describe_select("SELECT " + wrong.value + " AS x", {{"x", wrong.type}});
    ASSERT_FALSE(file) << wrong.type << " " << wrong.value;
    EXPECT_EQ(file.error().code, Code::invalid) << file.error().message;
    EXPECT_NE(file.error().message.find("the column 'x' is "), std::string::npos) << file.error().message;
    EXPECT_NE(file.error().message.find(wrong.words), std::string::npos) << file.error().message;
  }
}

TEST(DataFile, OfTheRightSchemaIsTaken) {
  const std::vector<std::pair<std::string, std::string>> rights = {{"array<double>", "[1.5::DOUBLE]"},
                                                                   {"array<string>", "['a']"},
                                                                   {"double", "1.5::DOUBLE"},
                                                                   {"float", "1.5::FLOAT"},
                                                                   {"long", "1::BIGINT"},
                                                                   {"integer", "1::INTEGER"},
                                                                   {"short", "1::SMALLINT"},
                                                                   {"byte", "1::TINYINT"},
                                                                   {"timestamp", "TIMESTAMPTZ '2020-01-01'"},
                                                                   {"string", "'x'"},
                                                                   {"binary", "'x'::BLOB"},
                                                                   {"date", "DATE '2020-01-01'"},
                                                                   {"boolean", "true"},
                                                                   {"decimal(10,2)", "1.5::DECIMAL(10,2)"},
                                                                   {"array<array<long>>", "[[1::BIGINT]]"}};
  for (const auto& [type, value] : rights) {
    const auto file = describe_select("SELECT " + value + " AS x", {{"x", type}});
    EXPECT_TRUE(file) << type << ": " << file.error().message;
  }
}

TEST(DataFile, ColumnsMissingOrTooManyAreRefused) {
  const auto missing = describe_select("SELECT 1::BIGINT AS x", {{"x", "long"}, {"y", "long"}});
  EXPECT_NE(missing.error().message.find("no column 'y'"), std::string::npos) << missing.error().message;
  const auto extra = describe_select("SELECT 1::BIGINT AS x, 2 AS z", {{"x", "long"}});
  EXPECT_NE(extra.error().message.find("a column 'z'"), std::string::npos) << extra.error().message;
}

TEST(DataFile, ThatIsNoParquetFileIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f.parquet";
  make_parquet(path, "SELECT range AS id, 'n' AS name FROM range(10)");
  const std::string good = read_file(path).value();
  ASSERT_TRUE(describe_file(path, "f", two_columns()));
  const auto try_bytes = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return describe_file(path, "f", two_columns());
  };
  EXPECT_EQ(try_bytes("").error().code, Code::corrupt);
  EXPECT_EQ(try_bytes("PAR1").error().code, Code::corrupt);
  EXPECT_EQ(try_bytes(good.substr(0, good.size() - 1)).error().code, Code::corrupt);
  EXPECT_EQ(try_bytes("PAR1\xff\xff\xff\x7fPAR1").error().code, Code::corrupt);
  // Every byte of the footer damaged in turn: an answer or an error, never a crash.
  const size_t footer = good.size() - kParquetTail - footer_length(good).value();
  for (size_t i = footer; i < good.size() - kParquetTail; ++i) {
    for (const char damage : {'\x00', '\x15', '\xff', '\x7c'}) {
      std::string metadata = good.substr(footer, good.size() - kParquetTail - footer);
      metadata[i - footer] = damage;
      (void)parse_footer(metadata);
    }
  }
  EXPECT_EQ(describe_file(folder.path() / "none", "f", two_columns()).error().code, Code::not_found);
}

TEST(DataFile, IsPutUnderANameOfItsOwn) {
  object::MemoryStore store;
  const auto local = [&] {
    const auto path = store.staging() / "f.parquet";
    make_parquet(path, "SELECT 1::BIGINT AS id, 'n' AS name");
    return path;
  };
  const auto first = put_data_file(store, "tables/t", local(), two_columns());
  const auto second = put_data_file(store, "tables/t", local(), two_columns());
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->path, second->path);
  EXPECT_EQ(store.stat("tables/t/" + first->path)->size, first->size);
  EXPECT_FALSE(std::filesystem::exists(store.staging() / "f.parquet"));

  store.fail_nth("put_file_if_absent", 1, {{Code::unavailable, "timed out"}, true});
  EXPECT_TRUE(put_data_file(store, "tables/t", local(), two_columns()));  // stored, its answer lost
  store.fail_nth("put_file_if_absent", 1, {{Code::unavailable, "timed out"}, false});
  EXPECT_EQ(put_data_file(store, "tables/t", local(), two_columns()).error().code, Code::unavailable);
}

}  // namespace
}  // namespace pinflow::delta
