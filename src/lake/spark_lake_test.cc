#include "lake/spark_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/owners.h"
#include "lake/spark_raw.h"
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

}  // namespace
}  // namespace pinflow::lake
