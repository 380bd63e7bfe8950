#include "connect/parquet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/shutdown.h"
#include "connect/encoding.h"
#include "sql/duckdb.h"

namespace pinflow::connect {
namespace {

using testing::HasSubstr;

const std::vector<Column> kColumns = {
    {"index", "BIGINT"}, {"title", "VARCHAR"}, {"score", "DOUBLE"}, {"good", "BOOLEAN"}};

TEST(Parquet, WhatFitsItsColumns) {
  const auto why = [](const char* json) {
    const auto fit = fits(kColumns, json);
    return fit ? std::string() : fit.error();
  };
  EXPECT_EQ(why(R"({"index":9223372036854775807,"title":"x","score":1.5,"good":true})"), "");
  EXPECT_EQ(why(R"({"index":null,"title":5,"score":-3})"), "");
  EXPECT_EQ(why("{}"), "");
  EXPECT_EQ(why(R"({"index":9223372036854775808})"), "the field index is no BIGINT");
  EXPECT_EQ(why(R"({"index":1.5})"), "the field index is no BIGINT");
  EXPECT_EQ(why(R"({"index":"1"})"), "the field index is no BIGINT");
  EXPECT_EQ(why(R"({"good":1})"), "the field good is no BOOLEAN");
  EXPECT_EQ(why(R"({"more":1})"), "the field more is not in the schema");
  EXPECT_EQ(why("[1]"), "no JSON object, and the schema has columns");
}

TEST(Parquet, ReadsBackAsItWasAndIsTheSameEachTime) {
  Settings settings{.format = Format::parquet, .schemas = {{"s", {{"x", "BIGINT"}}}, {"t", kColumns}}};
  auto by = Encoding::make(settings);
  ASSERT_TRUE(by) << by.error().message;
  EXPECT_EQ(by->extension(), ".snappy.parquet");
  std::vector<std::string> made;
  for (int round = 0; round < 2; ++round) {
    Lines lines;
    for (int i = 0; i < 3000; ++i) {
      const std::string value =
          fmt::format(R"({{"index":{},"title":"line\n\"{}\" é","score":{}.25}})", int64_t{1} << 60, i, i);
      ASSERT_TRUE(by->look({.topic = "t", .value = value}, 0).value());
      by->append(lines);
    }
    auto pieces = by->finish(std::move(lines));
    ASSERT_TRUE(pieces) << pieces.error().message;
    made.push_back(pieces->at(0).bytes);
  }
  EXPECT_EQ(made[0], made[1]);
  std::string file = (std::filesystem::temp_directory_path() / "pinflow-parquet-test-XXXXXX").string();
  ASSERT_NE(::mkdtemp(file.data()), nullptr);
  const std::string path = file + "/a.parquet";
  std::ofstream(path, std::ios::binary) << made[0];
  auto database = sql::Database::open({});
  auto connection = (*database)->connect();
  connection->watch([](double) { return true; });  // a test of this room asks the program to stop
  const std::string source = "read_parquet(" + sql::quote_text(path) + ")";
  EXPECT_EQ(connection->value("SELECT count(*)::VARCHAR || ' ' || max(\"index\") || ' ' || sum(score) FROM " + source)
                ->text(),
            "3000 1152921504606846976 4499250.0");
  EXPECT_EQ(connection->value("SELECT title FROM " + source + " WHERE score = 7.25")->text(), "line\n\"7\" é");
  EXPECT_EQ(connection->value("SELECT count(*) FILTER (good IS NULL)::VARCHAR FROM " + source)->text(), "3000");
  std::filesystem::remove_all(file);
}

TEST(Parquet, AStopDoesNotInterruptWhatIsInProgress) {
  request_stop();
  ParquetMaker maker("none");
  auto made = maker.make(kColumns, "{\"index\":1}\n");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->starts_with("PAR1"));
}

TEST(Parquet, ManyRowGroupsAndSchemasByOneMaker) {
  ParquetMaker maker("zstd");
  std::string lines;
  for (int i = 0; i < 130'000; ++i) lines += fmt::format("{{\"index\":{}}}\n", i);
  const auto first = maker.make(kColumns, lines);
  const auto other = maker.make({{"x", "VARCHAR"}}, "{\"x\":{\"a\":[1,2]}}\n");
  const auto again = maker.make(kColumns, lines);
  ASSERT_TRUE(first && other && again);
  EXPECT_EQ(*first, *again);
  EXPECT_NE(*first, *other);
}

TEST(Parquet, OtherRecordsAreRefused) {
  auto by = Encoding::make({.format = Format::parquet, .schemas = {{"s", {{"x", "BIGINT"}}}, {"t", kColumns}}});
  EXPECT_EQ(by->look({.topic = "t", .value = "{\"more\":1}"}, 0).error(), "the field more is not in the schema");
  EXPECT_EQ(by->look({.topic = "u", .value = "{}"}, 0).error(), "no schema for the topic u");
}

}  // namespace
}  // namespace pinflow::connect
