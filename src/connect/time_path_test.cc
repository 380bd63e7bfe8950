#include "connect/time_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace pinflow::connect {
namespace {

using testing::HasSubstr;

constexpr int64_t kHour = 3'600'000;
int64_t ms(const char* text) { return parse_iso_time(text).value(); }

std::string folder(const char* format, const char* time, int64_t duration = 1, const char* zone = "UTC") {
  auto path = TimePath::make(format, duration, zone);
  return path ? path->folder(ms(time)) : path.error().message;
}

TEST(TimePath, TheConnectorsUsualOnes) {
  EXPECT_EQ(folder("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "2020-08-28T03:52:47Z", kHour),
            "year=2020/month=08/day=28/hour=03");
  EXPECT_EQ(folder("'year'=YYYY/'month'=MM/'day'=dd", "2020-08-28T23:52:47Z", 24 * kHour, "Europe/Paris"),
            "year=2020/month=08/day=29");
}

TEST(TimePath, Letters) {
  const char* at = "2021-01-03T15:04:05.678Z";  // a Sunday, in the last week of 2020
  EXPECT_EQ(folder("y yy YYYY x ww C G", at), "2021 21 2021 2020 53 20 AD");
  EXPECT_EQ(folder("M MM MMM MMMM d dd D DDD", at), "1 01 Jan January 3 03 3 003");
  EXPECT_EQ(folder("E EEEE e", at), "Sun Sunday 7");
  EXPECT_EQ(folder("H HH k h hh K a", at), "15 15 15 3 03 3 PM");
  EXPECT_EQ(folder("m mm s ss S SS SSSS", at), "4 04 5 05 6 67 6780");
  EXPECT_EQ(folder("z Z ZZ ZZZ", at, 1, "Europe/Paris"), "CET +0100 +01:00 Europe/Paris");
  EXPECT_EQ(folder("'it''s' '' x-y", at), "it's ' 2020-2021");
}

TEST(TimePath, DurationsAreCountedOnTheWallClock) {
  EXPECT_EQ(folder("HH:mm", "2020-08-28T03:52:47Z", kHour / 2), "03:30");
  EXPECT_EQ(folder("dd HH", "2020-03-29T03:30:00Z", 24 * kHour, "Europe/Paris"), "29 00");
  EXPECT_EQ(folder("HH Z", "2020-10-25T01:30:00Z", kHour, "Europe/Paris"), "02 +0200");
  EXPECT_EQ(folder("yyyy", "1969-12-31T23:59:59Z", kHour), "1969");
}

TEST(TimePath, SaysWhatIsWrong) {
  EXPECT_THAT(folder("year=yyyy", "2020-01-01T00:00:00Z"), HasSubstr("'r' is no letter of a pattern"));
  EXPECT_THAT(folder("'year", "2020-01-01T00:00:00Z"), HasSubstr("a quote has no end"));
  EXPECT_THAT(folder("yyyy", "2020-01-01T00:00:00Z", 0), HasSubstr("partition.duration.ms must be at least 1"));
  EXPECT_THAT(folder("yyyy", "2020-01-01T00:00:00Z", 1, "Mars/Base"), HasSubstr("'Mars/Base' is no time zone"));
  EXPECT_THAT(folder("", "2020-01-01T00:00:00Z"), HasSubstr("path.format is missing"));
}

}  // namespace
}  // namespace pinflow::connect
