#include "base/clock.h"

#include <gtest/gtest.h>

namespace pinflow {
namespace {

TEST(Clock, IsoTime) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(1598586767123), "2020-08-28T03:52:47.123Z");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, ParsesIsoTime) {
  EXPECT_EQ(parse_iso_time("2020-08-28T03:52:47.123Z"), 1598586767123);
  EXPECT_EQ(parse_iso_time("2020-08-28T03:52:47Z"), 1598586767000);
  EXPECT_EQ(parse_iso_time("2020-08-28T03:52:47.1234567+00:00"), 1598586767123);
  for (const char* wrong : {"", "2020-08-28", "2020-08-28 03:52:47Z", "2020-02-30T03:52:47Z", "2020-08-28T24:52:47Z",
                            "2020-08-28T03:52:47", "2020-08-28T03:52:47.12", "x020-08-28T03:52:47Z"})
    EXPECT_EQ(parse_iso_time(wrong), std::nullopt) << wrong;
}

TEST(Clock, ParsesHttpDates) {
  EXPECT_EQ(parse_http_date("Fri, 28 Aug 2020 03:52:47 GMT"), 1598586767000);
  EXPECT_EQ(parse_http_date("Fri, 28 Aug 2020 03:52:47 CET"), std::nullopt);
  EXPECT_EQ(parse_http_date("2020-08-28"), std::nullopt);
}

TEST(Clock, IsUtcWhateverTheMachinesZone) {
  setenv("TZ", "America/New_York", 1);
  tzset();
  EXPECT_EQ(iso_time(1598586767123), "2020-08-28T03:52:47.123Z");
  unsetenv("TZ");
  tzset();
}

}  // namespace
}  // namespace pinflow
