#include "lake/cleaning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/test_support.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(WithDate, ReplacesTheWordAlone) {
  EXPECT_EQ(with_date("SELECT $date, a$date, $dates, ($date)", "2026-11-20"),
            "SELECT '2026-11-20', a$date, $dates, ('2026-11-20')");
  EXPECT_EQ(with_date("'$date' \"$date\" `$date` -- $date\n/* $date */ $date", "d"),
            "'$date' \"$date\" `$date` -- $date\n/* $date */ 'd'");
  EXPECT_EQ(with_date("'it''s $date' $date", "x'; DROP TABLE t; --"), "'it''s $date' 'x''; DROP TABLE t; --'");
  EXPECT_EQ(with_date("'unended $date", "d"), "'unended $date");
}

class CleaningTest : public ::testing::Test {
 protected:
  CleaningTest() : database_(sql::Database::open().value()), sql_(database_->connect().value()) {}

  // The message of the error that this cleaning of a reading ends in.
  std::string fault_of(const std::string& cleaning) {
    pipeline::RecordType record = sensors().records[0];
    record.cleaning = {"clean/reading.sql", cleaning};
    const auto cleaned = clean(*database_, sql_, record, source(record), "2026-11-20");
    return cleaned ? "none" : cleaned.error().message;
  }

  std::shared_ptr<RecordSource> source(const pipeline::RecordType& record) {
    return std::make_shared<RecordSource>(store_, list_topic(store_, record.topic).value(), record.fields);
  }

  object::MemoryStore store_;
  std::unique_ptr<sql::Database> database_;
  sql::Connection sql_;
};

TEST_F(CleaningTest, ItsShapeIsHeld) {
  EXPECT_THAT(fault_of("SELECT sensor, value, taken, NULL AS reason, origin FROM raw"), "none");
  EXPECT_THAT(
      fault_of("SELECT sensor, taken, value, NULL AS reason, origin FROM raw"),
      StartsWith(
          "clean/reading.sql: column 2 is taken, not value; a cleaning answers the columns of the table readings"));
  EXPECT_THAT(fault_of("SELECT sensor, value FROM raw"), HasSubstr("the column taken is missing"));
  EXPECT_THAT(fault_of("SELECT sensor, value, taken, origin FROM raw"), HasSubstr("the column reason is missing"));
  EXPECT_THAT(fault_of("SELECT sensor, value, taken, NULL AS reason FROM raw"),
              HasSubstr("the column origin is missing"));
  EXPECT_THAT(fault_of("SELECT sensor, value, taken, NULL AS reason, origin, 1 AS more FROM raw"),
              HasSubstr("there is a column more too many"));
}

TEST_F(CleaningTest, ItsErrorsNameItsFileAndLine) {
  EXPECT_THAT(fault_of("SELECT sensor,\n  nonsense AS value FROM raw"), StartsWith("clean/reading.sql:2: "));
  EXPECT_THAT(fault_of("SELECT sensor\nFRO raw"), StartsWith("clean/reading.sql:2: "));
  put_object(store_, "here.reading", 0, {reading(1, "x")});
  EXPECT_THAT(fault_of("SELECT sensor,\nCAST(value AS DOUBLE) AS value, taken, NULL AS reason, origin FROM raw"),
              StartsWith("clean/reading.sql"));
}

TEST_F(CleaningTest, OneRecordIsOneRow) {
  put_object(store_, "here.reading", 0, {reading(1), reading(2)});
  const std::string rest = " value, taken, NULL AS reason, origin FROM raw";
  EXPECT_EQ(fault_of("SELECT sensor," + rest), "none");
  EXPECT_THAT(fault_of("SELECT sensor," + rest + " WHERE sensor <> '2'"),
              HasSubstr("1 rows were made of 2 records; a cleaning makes one row of each record"));
  EXPECT_THAT(fault_of("SELECT sensor," + rest + ", range(2) t(i)"), HasSubstr("4 rows were made of 2 records"));
}

TEST_F(CleaningTest, CountsAreOfGoodRecords) {
  put_object(store_, "here.reading", 0,
             {reading(1, "bad"), R"({"value":"bad"})", "nonsense", R"({"sensor":4,"more":1,"most":2})", reading(5)});
  const pipeline::RecordType record = sensors().records[0];
  const auto cleaned = clean(*database_, sql_, record, source(record), "");
  ASSERT_TRUE(cleaned) << cleaned.error().message;
  EXPECT_EQ(cleaned->raw, 5);
  EXPECT_EQ(cleaned->dead, 2);
  EXPECT_EQ(cleaned->noted, (std::vector<std::pair<std::string, int64_t>>{
                                {"bad_value", 1}, {"missing_fields", 2}, {"unknown_fields", 2}}));
}

TEST_F(CleaningTest, MoreUnknownFieldsThanOneNumberHolds) {
  std::string many = R"({"sensor":1)";
  for (int i = 0; i < 1000; ++i) many += fmt::format(R"(,"x{}":0)", i);
  put_object(store_, "here.reading", 0, {many + "}"});
  const pipeline::RecordType record = sensors().records[0];
  const auto cleaned = clean(*database_, sql_, record, source(record), "");
  ASSERT_TRUE(cleaned) << cleaned.error().message;
  EXPECT_EQ(cleaned->noted.back(), (std::pair<std::string, int64_t>{"unknown_fields", 1000}));
}

TEST_F(CleaningTest, ObjectsThatOverlapAreCorrupt) {
  put_object(store_, "here.reading", 0, {reading(1), reading(2)});
  put_object(store_, "here.reading", 1, {reading(2)});
  EXPECT_THAT(fault_of(sensors().records[0].cleaning.text), HasSubstr("a record would be read twice"));
}

}  // namespace
}  // namespace pinflow::lake
