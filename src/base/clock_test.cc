#include "base/clock.h"

#include <gtest/gtest.h>

namespace pinflow {
namespace {

TEST(Clock, IsoTime) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(1598586767123), "2020-08-28T03:52:47.123Z");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999Z");
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
