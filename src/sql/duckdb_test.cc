#include "sql/duckdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace pinflow::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class DuckDbTest : public ::testing::Test {
 protected:
  DuckDbTest() : database_(Database::open({.memory_bytes = 256 << 20}).value()), sql_(database_->connect().value()) {}

  std::unique_ptr<Database> database_;
  Connection sql_;
};

TEST_F(DuckDbTest, EveryTypeBecomesItsValue) {
  const auto table = sql_.query(R"(
      SELECT true AS flag, 7::TINYINT AS small, -9007199254740993::BIGINT AS big, sum(i)::HUGEINT AS huge,
             170141183460469231731687303715884105727::HUGEINT AS beyond, 0.1::DOUBLE AS real, 12.50::DECIMAL(9,2) AS money,
             'é'::VARCHAR AS word, DATE '2020-08-28' AS day, TIMESTAMP '2020-08-28 03:52:47' AS at,
             TIMESTAMPTZ '2020-08-28 03:52:47.25+00' AS atz, [1.5, NULL]::DOUBLE[] AS pair,
             {'a': 1, 'b': 'x'} AS thing, MAP {'k': 2} AS entries, NULL AS nothing,
             'fbe53c66-3442-4773-b19e-d3ec6f54dddf'::UUID AS id
      FROM range(3) t(i))");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(
      as_json(*table),
      R"([{"flag":true,"small":7,"big":-9007199254740993,"huge":3,)"
      R"("beyond":"170141183460469231731687303715884105727","real":0.1,"money":12.5,"word":"é",)"
      R"("day":"2020-08-28","at":"2020-08-28 03:52:47","atz":"2020-08-28 03:52:47.25","pair":[1.5,null],)"
      R"("thing":{"a":1,"b":"x"},"entries":{"k":2},"nothing":null,"id":"fbe53c66-3442-4773-b19e-d3ec6f54dddf"}])");
  EXPECT_EQ(table->columns[11].type, "DOUBLE[]");
  EXPECT_EQ(table->columns[10].type, "TIMESTAMP WITH TIME ZONE");
}

TEST_F(DuckDbTest, TimesAreUtcWhateverTheMachineSays) {
  ::setenv("TZ", "America/New_York", 1);
  auto database = Database::open();
  ::unsetenv("TZ");
  ASSERT_TRUE(database);
  auto session = (*database)->connect();
  const auto text = session->value("SELECT CAST(CAST(TIMESTAMP '2020-08-28 03:52:47' AS TIMESTAMPTZ) AS VARCHAR)");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->text(), "2020-08-28 03:52:47+00");
}

TEST_F(DuckDbTest, AnErrorNamesTheUsersFileAndLine) {
  const std::string user = "SELECT 1,\n       nonsense\n";
  const auto wrapped = sql_.query("CREATE TABLE t AS\nSELECT * FROM (\n" + user + ")", {"clean/pin.sql", 3, 2});
  ASSERT_FALSE(wrapped);
  EXPECT_EQ(wrapped.error().code, Code::invalid);
  EXPECT_THAT(wrapped.error().message, StartsWith("clean/pin.sql:2: "));
  EXPECT_THAT(wrapped.error().message, HasSubstr("nonsense"));

  const auto parse = sql_.query("SELECT 1;\nSELECT FROM WHERE", {"queries/x.sql"});
  ASSERT_FALSE(parse);
  EXPECT_THAT(parse.error().message, StartsWith("queries/x.sql:2: "));

  const auto outside = sql_.query("SELECT * FROM (\nSELECT 1\n) WHERE nonsense", {"clean/pin.sql", 2, 1});
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message, StartsWith("clean/pin.sql: "));

  const auto cut_off = sql_.query("SELECT 1\nFROM t\nWHERE", {"queries/x.sql", 1, 3});
  ASSERT_FALSE(cut_off);
  EXPECT_THAT(cut_off.error().message, StartsWith("queries/x.sql:3: "));
  const auto cut_off_inside = sql_.query("SELECT * FROM (\nSELECT 1\nWHERE\n) t", {"clean/pin.sql", 2, 2});
  ASSERT_FALSE(cut_off_inside);
  EXPECT_THAT(cut_off_inside.error().message, StartsWith("clean/pin.sql:2: "));
}

TEST_F(DuckDbTest, AValueThatDoesNotCastIsAnErrorAndTheSessionGoesOn) {
  const auto bad = sql_.value("SELECT CAST(x AS BIGINT) FROM (VALUES ('12 million')) t(x)");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::invalid);
  EXPECT_EQ(sql_.value("SELECT 42")->integer(), 42);
}

TEST_F(DuckDbTest, AMissingFileIsNotFound) {
  const auto missing = sql_.query("SELECT * FROM read_parquet('/nowhere/at/all.parquet')");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
}

TEST_F(DuckDbTest, MoreThanItsMemoryIsFull) {
  auto small = Database::open({.memory_bytes = 16 << 20});
  ASSERT_TRUE(small);
  auto session = (*small)->connect();
  const auto big = session->execute("CREATE TABLE t AS SELECT md5(i::VARCHAR) AS x FROM range(5000000) t(i)");
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().code, Code::full) << big.error().message;
}

TEST_F(DuckDbTest, TheWatchInterrupts) {
  int looks = 0;
  sql_.watch([&looks](double) { return ++looks < 2; });
  const auto endless = sql_.query("SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, Code::cancelled) << endless.error().message;
  EXPECT_EQ(looks, 2);
  sql_.watch({});
  EXPECT_EQ(sql_.value("SELECT 1")->integer(), 1);
}

TEST_F(DuckDbTest, AnyThreadInterrupts) {
  std::jthread other([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    sql_.interrupt();
  });
  const auto endless = sql_.query("SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, Code::cancelled);
}

TEST_F(DuckDbTest, ConnectionsOfOneDatabaseShareItsTables) {
  ASSERT_TRUE(sql_.execute("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1), (2);"));
  auto other = database_->connect();
  EXPECT_EQ(other->value("SELECT count(*) FROM t")->integer(), 2);
}

TEST_F(DuckDbTest, QuotingIsSafeForAnyText) {
  using namespace std::string_literals;
  for (const std::string& text : {"it's"s, "a\\n\"b\""s, "x\0y"s, "'); DROP TABLE t; --"s, ""s}) {
    EXPECT_EQ(sql_.value("SELECT " + quote_text(text))->text(), text);
  }
  EXPECT_EQ(sql_.query("SELECT 1 AS " + quote_name("a \"b\""))->columns[0].name, "a \"b\"");
  EXPECT_EQ(quote_list({"a", "b'c"}), "['a', 'b''c']");
}

TEST_F(DuckDbTest, ATypeWithoutAValueSaysWhatToDo) {
  const auto interval = sql_.query("SELECT INTERVAL 1 DAY AS gap", {"queries/q.sql"});
  ASSERT_FALSE(interval);
  EXPECT_EQ(interval.error().message, "queries/q.sql: column gap: a column of type INTERVAL: cast it to VARCHAR");
}

}  // namespace
}  // namespace pinflow::sql
