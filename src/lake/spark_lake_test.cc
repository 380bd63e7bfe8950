#include "lake/spark_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/shutdown.h"
#include "lake/owners.h"
#include "lake/spark_raw.h"
#include "lake/spark_stream.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using ::testing::HasSubstr;

using Paths = std::vector<std::pair<std::string, std::string>>;

TEST(SparkLake, PathsAreMappedByTheLongestPrefix) {
  const Paths paths{{"s3://bucket/lake/", "/mnt/lake/"}, {"s3://bucket/", "dbfs:/bucket/"}, {"/data/", "file:/data/"}};
  EXPECT_EQ(spark_path_of("s3://bucket/lake/a", paths), "/mnt/lake/a");
  EXPECT_EQ(spark_path_of("s3://bucket/lake", paths), "/mnt/lake");
  EXPECT_EQ(spark_path_of("s3://bucket/other", paths), "dbfs:/bucket/other");
  EXPECT_EQ(spark_path_of("/data/lake/", paths), "file:/data/lake");
}

TEST(SparkLake, WithoutAMapS3IsS3aAndAFolderStays) {
  EXPECT_EQ(spark_path_of("s3://bucket/lake", {}), "s3a://bucket/lake");
  EXPECT_EQ(spark_path_of("/data/../lake", {}), "/lake");
  EXPECT_TRUE(spark_path_of("data/lake", {}).starts_with("/"));
}

TEST(SparkLake, NamesStandForThemselves) {
  EXPECT_EQ(spark_literal_path("/a[1]/{b}*?"), R"(/a\[1\]/\{b\}\*\?)");
  EXPECT_EQ(spark_table("/la`ke", "pin", 3), "delta.`/la``ke/tables/pin` VERSION AS OF 3");
}

TEST(SparkLake, FieldsOfAnyNameAreQuoted) {
  const auto sql = spark_raw_sql("SELECT '' AS value", {"it's", "a`b", "back\\slash"});
  EXPECT_THAT(sql, HasSubstr("field_2"));
  EXPECT_EQ(sql.find('\n'), std::string::npos);  // a cleaning's lines are counted behind it
}

TEST(Owners, AStreamTableHasOneForLife) {
  object::MemoryStore store;
  ASSERT_TRUE(claim_stream_table(store, "pin_stream", kOwnedBySpark));
  ASSERT_TRUE(claim_stream_table(store, "pin_stream", kOwnedBySpark));
  const auto refused = claim_stream_table(store, "pin_stream", kOwnedHere);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("pin_stream is fed by a query on Spark"));
  ASSERT_TRUE(claim_stream_table(store, "geo_stream", kOwnedHere));
  EXPECT_FALSE(claim_stream_table(store, "geo_stream", kOwnedBySpark));
}

TEST(SparkLake, AsksWhetherItIsTheSameLake) {
  const Error missed{Code::not_found, "File file:/nowhere/lake/tables/pin/_delta_log does not exist"};
  const std::string said = at_lake(missed, "/nowhere/lake", "/data/lake").message;
  EXPECT_EQ(said, missed.message +
                      "; is /nowhere/lake there the lake that is /data/lake here? Look at engine.paths in the profile "
                      "(docs/spark.md)");
  EXPECT_EQ(at_lake({Code::not_found, said}, "/nowhere/lake", "/data/lake").message, said);  // once
  // Neither a table that a query misspells nor another fault is of the paths.
  for (const Error& other : {Error{Code::not_found, "[TABLE_OR_VIEW_NOT_FOUND] `pins` cannot be found"},
                             Error{Code::denied, "no entry to /nowhere/lake/tables/pin"}})
    EXPECT_EQ(at_lake(other, "/nowhere/lake", "/data/lake").message, other.message);
}

// 0: it ended as asked; 1: with an error.
int stream_that_is_cancelled(bool by_a_stop) {
  object::MemoryStore store;
  SparkStreamOptions options;
  options.spark.open = [by_a_stop]() -> Result<std::unique_ptr<spark::Session>> {
    if (by_a_stop) request_stop();
    return fail(Code::cancelled, "stopped while waiting for Spark");
  };
  const auto counts = run_spark_stream(pipeline::Pipeline(), store, options);
  return counts && counts->empty() ? 0 : 1;
}

// In a process of its own: a stop is never taken back.
TEST(SparkStreamDeathTest, AStopIsNoErrorAndACancelledStatementIs) {
  EXPECT_EXIT(std::_Exit(stream_that_is_cancelled(true)), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::_Exit(stream_that_is_cancelled(false)), ::testing::ExitedWithCode(1), "");
}

TEST(SparkStream, CountsAsALine) {
  EXPECT_EQ(line_of({{"pin", "pin_stream", 900, 1200}, {"geo", "geo_stream", 5, 5}}),
            "pin_stream has 1200 rows, 300 of them new, geo_stream has 5 rows, 0 of them new");
  EXPECT_EQ(line_of({}), "");
}

}  // namespace
}  // namespace pinflow::lake
