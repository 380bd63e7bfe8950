#include "base/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace pinflow {
namespace {

using testing::HasSubstr;

int64_t ms(const char* text) { return parse_iso_time(text).value(); }

// Expected values are those of Python's zoneinfo.
TEST(TimeZone, Utc) {
  EXPECT_EQ(TimeZone::utc().at(12345).ms, 12345);
  EXPECT_EQ(TimeZone::load("UTC")->at(12345).offset_s, 0);
}

TEST(TimeZone, ParisInSummerAndWinter) {
  auto paris = TimeZone::load("Europe/Paris");
  ASSERT_TRUE(paris) << paris.error().message;
  EXPECT_EQ(paris->at(ms("2020-01-15T12:00:00Z")).offset_s, 3600);
  EXPECT_EQ(paris->at(ms("2020-03-29T00:59:59Z")).abbreviation, "CET");
  EXPECT_EQ(paris->at(ms("2020-03-29T01:00:00Z")).abbreviation, "CEST");
  EXPECT_EQ(paris->at(ms("2020-10-25T00:59:59Z")).offset_s, 7200);
  EXPECT_EQ(paris->at(ms("2020-10-25T01:00:00Z")).offset_s, 3600);
  EXPECT_EQ(paris->at(ms("2090-07-15T12:00:00Z")).offset_s, 7200);  // by the rule of the last line
  EXPECT_EQ(paris->at(ms("2090-01-15T12:00:00Z")).offset_s, 3600);
  EXPECT_EQ(paris->at(ms("1800-01-15T12:00:00Z")).offset_s, 561);
}

TEST(TimeZone, TheSouthHasItsSummerOverNewYear) {
  auto sydney = TimeZone::load("Australia/Sydney");
  ASSERT_TRUE(sydney);
  EXPECT_EQ(sydney->at(ms("2050-01-15T12:00:00Z")).offset_s, 39600);
  EXPECT_EQ(sydney->at(ms("2050-07-15T12:00:00Z")).offset_s, 36000);
}

TEST(TimeZone, LocalTimesAtChanges) {
  auto paris = TimeZone::load("Europe/Paris");
  ASSERT_TRUE(paris);
  EXPECT_EQ(paris->to_utc_ms(ms("2020-06-01T12:00:00Z")), ms("2020-06-01T10:00:00Z"));
  EXPECT_EQ(paris->to_utc_ms(ms("2020-10-25T02:30:00Z")), ms("2020-10-25T00:30:00Z"));  // shown twice: the first
  EXPECT_EQ(paris->to_utc_ms(ms("2020-03-29T02:30:00Z")), ms("2020-03-29T01:00:00Z"));  // never shown: the change
  EXPECT_EQ(paris->to_utc_ms(ms("2020-03-29T03:00:00Z")), ms("2020-03-29T01:00:00Z"));
  auto new_york = TimeZone::load("America/New_York");
  ASSERT_TRUE(new_york);
  EXPECT_EQ(new_york->to_utc_ms(ms("2061-11-06T01:30:00Z")), ms("2061-11-06T05:30:00Z"));
}

TEST(TimeZone, HalfHoursAndNoRule) {
  EXPECT_EQ(TimeZone::load("Asia/Kolkata")->at(ms("2030-01-01T00:00:00Z")).offset_s, 19800);
  EXPECT_EQ(TimeZone::load("Asia/Kolkata")->to_utc_ms(ms("2030-01-01T05:30:00Z")), ms("2030-01-01T00:00:00Z"));
}

TEST(TimeZone, UnknownOnesAreNamed) {
  for (const char* name : {"Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime", "Europe"})
    EXPECT_THAT(TimeZone::load(name).error().message, HasSubstr("is no time zone of this machine")) << name;
  EXPECT_THAT(TimeZone::parse("x", "TZif2 cut").error().message, HasSubstr("no TZif file"));
}

TEST(TimeZone, GreenwichHasItsOwnName) {
  EXPECT_EQ(TimeZone::load("GMT")->at(0).abbreviation, "GMT");
  EXPECT_EQ(TimeZone::load("UTC")->at(0).abbreviation, "UTC");
}

}  // namespace
}  // namespace pinflow
