#include "source/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>

#include "source/keys.h"
#include "source/random.h"

namespace pinflow::source {
namespace {

using pipeline::SourceType;
using ::testing::HasSubstr;

std::string real(double value) {
  std::string text;
  append_real(text, value);
  return text;
}
std::string single(float value) {
  std::string text;
  append_single(text, value);
  return text;
}

TEST(Value, RealsAreShortestAndReadBackAsTheSame) {
  EXPECT_EQ(real(-89.9787), "-89.9787");
  EXPECT_EQ(real(20), "20.0");
  EXPECT_EQ(real(0), "0.0");
  EXPECT_EQ(real(1e-5), "1e-05");
  EXPECT_EQ(real(0.0001), "0.0001");
  EXPECT_EQ(real(1e16), "1e+16");
  EXPECT_EQ(real(NAN), "null");
  EXPECT_EQ(single(-89.9787f), "-89.9787");
  EXPECT_EQ(single(-173.293f), "-173.293");
  EXPECT_EQ(single(0.1f), "0.1");
  EXPECT_EQ(single(16777216.f), "16777216.0");
  EXPECT_EQ(single(13653698560.f), "13653699000.0");
  Random random(1, 2, 3);
  for (int i = 0; i < 10'000; ++i) {
    const auto bits = static_cast<uint32_t>(random.next());
    const float value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) continue;
    const std::string text = single(value);
    float back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    EXPECT_EQ(back, value) << text;
    EXPECT_EQ(static_cast<float>(*as_single(value)), value);
    EXPECT_EQ(real(*as_single(value)), single(value));
  }
  EXPECT_EQ(as_single(1e300), std::nullopt);
}

TEST(Value, DatetimesAreRealDatesInOneForm) {
  EXPECT_EQ(as_datetime("2020-08-28 03:52:47"), "2020-08-28 03:52:47");
  EXPECT_EQ(as_datetime("2020-02-29T23:59:59"), "2020-02-29 23:59:59");
  for (const char* wrong :
       {"2021-02-29 00:00:00", "2020-08-28", "2020-13-01 00:00:00", "2020:08:28 03:52:47", "2020-08-28 24:00:00",
        "2020-08-28 03:52:4x", "0999-01-01 00:00:00", "2020-08-28 03:52:47Z", ""}) {
    EXPECT_EQ(as_datetime(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(datetime_seconds("1970-01-02 00:00:01"), 86401);
  for (const int64_t seconds : {0L, -1L, 951868799L, 1598586767L, 253402300799L}) {
    std::string text;
    append_datetime(text, seconds);
    EXPECT_EQ(datetime_seconds(text), seconds) << text;
  }
}

Result<> fits(auto value, SourceType type) {
  Value v;
  v.set(value);
  return fit(v, {"c", type});
}

TEST(Value, FitsItsColumnOrSaysWhyNot) {
  EXPECT_TRUE(fits(int64_t{2147483647}, SourceType::integer));
  EXPECT_THAT(fits(int64_t{2147483648}, SourceType::integer).error().message, HasSubstr("does not fit in 32 bits"));
  EXPECT_TRUE(fits(int64_t{2147483648}, SourceType::bigint));
  EXPECT_THAT(fits(1.5, SourceType::integer).error().message, HasSubstr("1.5 is no whole number"));
  EXPECT_THAT(fits(std::string_view("20"), SourceType::integer).error().message,
              HasSubstr("\"20\" is no whole number"));
  EXPECT_THAT(fits(1e39, SourceType::float_).error().message, HasSubstr("32-bit float"));
  EXPECT_TRUE(fits(int64_t{3}, SourceType::double_));
  EXPECT_THAT(fits(int64_t{3}, SourceType::text).error().message, HasSubstr("3 is no text"));
  EXPECT_THAT(fits(std::string_view("soon"), SourceType::datetime).error().message,
              HasSubstr("\"soon\" is no datetime"));
  Value value;
  value.set(88.123456789);
  ASSERT_TRUE(fit(value, {"c", SourceType::float_}));
  EXPECT_EQ(real(value.real), "88.12346");
}

TEST(KeyRuns, FindTheKeyAtEachPosition) {
  KeyRuns runs;
  for (const int64_t key : {-5L, 3L, 4L, 5L, 5L, 9L, 10L, 100L}) runs.add(key);
  ASSERT_EQ(runs.size(), 7);
  const std::vector<int64_t> expected{-5, 3, 4, 5, 9, 10, 100};
  for (int64_t n = 0; n < runs.size(); ++n) EXPECT_EQ(runs.at(n), expected[static_cast<size_t>(n)]);
}

TEST(KeyRuns, OfTwoTablesAreJoined) {
  Random random(7, 7, 7);
  for (int round = 0; round < 200; ++round) {
    KeyRuns a, b;
    std::vector<int64_t> expected;
    for (int64_t key = 0; key < 50; ++key) {
      const bool in_a = random.below(2) == 0, in_b = random.below(3) == 0;
      if (in_a) a.add(key);
      if (in_b) b.add(key);
      if (in_a || in_b) expected.push_back(key);
    }
    const KeyRuns both = KeyRuns::either(a, b);
    ASSERT_EQ(both.size(), static_cast<int64_t>(expected.size()));
    for (size_t n = 0; n < expected.size(); ++n) ASSERT_EQ(both.at(static_cast<int64_t>(n)), expected[n]);
  }
}

TEST(RandomNumbers, AreTheSameEverywhere) {
  Random random(100, hash_name("value pin.title"), 7528);
  EXPECT_EQ(hash_name("a"), 0xaf63dc4c8601ec8cu);            // FNV's published value
  EXPECT_EQ(mix(0x9e3779b97f4a7c15u), 0xe220a8397b1dcdafu);  // SplitMix64's first number after seed 0
  const uint64_t first = random.next();
  EXPECT_EQ(Random(100, hash_name("value pin.title"), 7528).next(), first);
  EXPECT_NE(Random(101, hash_name("value pin.title"), 7528).next(), first);
  uint64_t low = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t drawn = random.below(100, 2);
    ASSERT_LT(drawn, 100u);
    low += drawn < 25;
  }
  EXPECT_NEAR(static_cast<double>(low), 5000, 300);  // the square of 0.5 is 0.25
}

}  // namespace
}  // namespace pinflow::source
