#include "schedule/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "schedule/times.h"

namespace pinflow::schedule {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto cron = Cron::parse(text);
  return cron ? "" : cron.error().message;
}

// The first `count` times after `from`, as instants.
std::vector<std::string> times(const char* cron, const char* zone, const char* from, int count) {
  const Times times(Cron::parse(cron).value(), TimeZone::load(zone).value());
  std::vector<std::string> found;
  std::optional<int64_t> at = parse_iso_time(from);
  while (count-- > 0) {
    const int64_t before = *at;
    at = times.next(before);
    if (!at) break;
    EXPECT_LE(times.previous(*at).value_or(0), before);
    found.push_back(iso_time(*at).substr(0, 16));
  }
  return found;
}

TEST(Cron, MistakesAreToldWithTheirColumn) {
  EXPECT_THAT(error_of("60 * * * *"), HasSubstr("column 1 (minute): '60' is not from 0 to 59"));
  EXPECT_THAT(error_of("0 24 * * *"), HasSubstr("column 3 (hour)"));
  EXPECT_THAT(error_of("0 0 * foo *"), HasSubstr("column 7 (month): 'foo' is no month; they are jan, feb"));
  EXPECT_THAT(error_of("0 0 * * 8"), HasSubstr("column 9 (day of the week)"));
  EXPECT_THAT(error_of("5-1 * * * *"), HasSubstr("column 1 (minute): the range '5-1' ends before it begins"));
  EXPECT_THAT(error_of("*/0 * * * *"), HasSubstr("column 3 (minute): the step '0'"));
  EXPECT_THAT(error_of("5/15 * * * *"), HasSubstr("column 2 (minute): a step follows"));
  EXPECT_THAT(error_of("0 0 * *"), HasSubstr("the day of the week is missing"));
  EXPECT_THAT(error_of("0 0 * * * *"), HasSubstr("column 11: there are only five fields"));
  EXPECT_THAT(error_of("1,, 0 * * *"), HasSubstr("column 3"));
  EXPECT_THAT(error_of("0 0 31 2,4 *"), HasSubstr("never comes"));
  EXPECT_THAT(error_of("@reboot"), HasSubstr("@daily"));
  EXPECT_THAT(error_of(""), HasSubstr("column 1: the minute is missing"));
  EXPECT_THAT(error_of("*x * * * *"), HasSubstr("column 2"));
  EXPECT_EQ(error_of("0 0 29 2 *"), "");
  EXPECT_EQ(error_of("\t0  0 1-31/2 Jan,DEC Mon-Fri"), "");
}

TEST(Cron, EitherDayIsEnoughWhereBothAreRestricted) {
  EXPECT_THAT(times("0 0 13 * fri", "UTC", "2026-02-01T00:00:00Z", 4),
              ElementsAre("2026-02-06T00:00", "2026-02-13T00:00", "2026-02-20T00:00", "2026-02-27T00:00"));
  EXPECT_THAT(times("0 0 */2 * mon", "UTC", "2026-02-01T00:00:00Z", 2),
              ElementsAre("2026-02-09T00:00", "2026-02-23T00:00"));
  EXPECT_THAT(times("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2),
              ElementsAre("2028-02-29T00:00", "2032-02-29T00:00"));
  EXPECT_THAT(times("0 0 * * 7", "UTC", "2026-02-01T00:00:00Z", 1), ElementsAre("2026-02-08T00:00"));
}

TEST(Cron, NamesStandForTheirExpressions) {
  EXPECT_THAT(times("@daily", "Asia/Kolkata", "2026-01-01T00:00:00Z", 1), ElementsAre("2026-01-01T18:30"));
  EXPECT_THAT(times("@YEARLY", "UTC", "2026-01-01T00:00:00Z", 1), ElementsAre("2027-01-01T00:00"));
  EXPECT_THAT(times("@hourly", "UTC", "2026-01-01T00:30:00Z", 1), ElementsAre("2026-01-01T01:00"));
}

TEST(Cron, FixedTimesThatAreLeaptOverComeRightAfterTheLeapOnce) {
  // Paris, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
  EXPECT_THAT(times("30 2 * * *", "Europe/Paris", "2026-03-28T00:00:00Z", 3),
              ElementsAre("2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"));
  EXPECT_THAT(times("10,40 2 * * *", "Europe/Paris", "2026-03-29T00:00:00Z", 2),
              ElementsAre("2026-03-29T01:00", "2026-03-30T00:10"));
}

TEST(Cron, FixedTimesThatAreShownTwiceComeOnce) {
  // Paris, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
  EXPECT_THAT(times("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2),
              ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
}

TEST(Cron, RecurringTimesGoByRealTime) {
  EXPECT_THAT(times("*/30 * * * *", "Europe/Paris", "2026-03-29T00:20:00Z", 3),
              ElementsAre("2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"));
  EXPECT_THAT(times("*/30 2 * * *", "Europe/Paris", "2026-03-29T00:20:00Z", 1), ElementsAre("2026-03-30T00:00"));
  EXPECT_THAT(times("0 */2 * * *", "Europe/Paris", "2026-10-24T23:00:00Z", 3),
              ElementsAre("2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T03:00"));
  // Lord Howe's clocks go back by half an hour, at 15:00 UTC.
  EXPECT_THAT(times("*/20 * * * *", "Australia/Lord_Howe", "2026-04-04T14:35:00Z", 3),
              ElementsAre("2026-04-04T14:40", "2026-04-04T15:10", "2026-04-04T15:30"));
}

TEST(Cron, ADayThatAZoneNeverHadDoesNotCome) {
  EXPECT_THAT(times("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", 2),
              ElementsAre("2011-12-30T22:00", "2011-12-31T22:00"));
}

TEST(Times, ARunIsCalledByItsDayOrWhereThereAreSeveralByItsInstant) {
  const Times daily(Cron::parse("0 1 * * *").value(), TimeZone::load("Asia/Kolkata").value());
  EXPECT_EQ(daily.slot(*parse_iso_time("2026-01-01T19:30:00Z")), "2026-01-02");
  const Times hourly(Cron::parse("@hourly").value(), TimeZone::utc());
  EXPECT_EQ(hourly.date(*parse_iso_time("2026-01-01T19:00:00Z")), "2026-01-01");
  EXPECT_EQ(hourly.slot(*parse_iso_time("2026-01-01T19:00:00Z")), "2026-01-01T19:00:00Z");
}

TEST(Times, DatesAreDaysOfTheCalendar) {
  EXPECT_EQ(date_text(*parse_date("2024-02-29")), "2024-02-29");
  for (const char* wrong : {"2023-02-29", "2023-1-1", "2023-13-01", "20230101", "2023-01-01x", "", "0000-01-01"})
    EXPECT_FALSE(parse_date(wrong)) << wrong;
}

}  // namespace
}  // namespace pinflow::schedule
