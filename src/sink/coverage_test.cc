#include "sink/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::sink {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Coverage covering(std::vector<Range> ranges) { return Coverage::of(std::move(ranges)).value(); }

TEST(Coverage, JoinsWhatTouches) {
  EXPECT_THAT(covering({{10, 20}, {0, 5}, {5, 10}, {30, 31}}).ranges(), ElementsAre(Range{0, 20}, Range{30, 31}));
  EXPECT_TRUE(covering({}).empty());
}

TEST(Coverage, RefusesWhatIsHeldTwice) {
  for (auto ranges : {std::vector<Range>{{0, 10}, {9, 12}}, {{0, 10}, {0, 10}}, {{0, 10}, {3, 4}}}) {
    auto coverage = Coverage::of(ranges);
    ASSERT_FALSE(coverage);
    EXPECT_EQ(coverage.error().code, Code::corrupt);
  }
}

TEST(Coverage, FindsTheFirstHole) {
  const Coverage coverage = covering({{5, 10}, {11, 12}});
  EXPECT_EQ(coverage.first_uncovered(0), 0);
  EXPECT_EQ(coverage.first_uncovered(5), 10);
  EXPECT_EQ(coverage.first_uncovered(9), 10);
  EXPECT_EQ(coverage.first_uncovered(10), 10);
  EXPECT_EQ(coverage.first_uncovered(11), 12);
  EXPECT_EQ(coverage.first_uncovered(100), 100);
  EXPECT_TRUE(coverage.contains(11));
  EXPECT_FALSE(coverage.contains(10));
  EXPECT_EQ(Coverage().first_uncovered(3), 3);
}

// As begin() in start.cc does it.
Result<int64_t> start(StartFacts facts, std::vector<Range> lake) {
  const Coverage coverage = covering(std::move(lake));
  if (!coverage.empty()) {
    facts.lake_first = coverage.first();
    facts.lake_end = coverage.end();
  }
  return start_position(facts, coverage.first_uncovered(begin_of_search(facts)), "t/0");
}

TEST(Start, OfANewGroupIsTheLogsStart) {
  EXPECT_EQ(start({.low = 0, .high = 50}, {}).value(), 0);
  EXPECT_EQ(start({.low = 20, .high = 50}, {}).value(), 20);
}

TEST(Start, IsTheEndOfTheLake) {
  EXPECT_EQ(start({.committed = 10, .low = 0, .high = 50}, {{0, 10}}).value(), 10);
  EXPECT_EQ(start({.committed = 10, .low = 0, .high = 50}, {{0, 30}}).value(), 30);
  EXPECT_EQ(start({.low = 0, .high = 50}, {{0, 30}}).value(), 30);
  EXPECT_EQ(start({.committed = 50, .low = 0, .high = 50}, {{0, 50}}).value(), 50);
}

TEST(Start, FindsAHoleBehindTheGroupsOffset) {
  EXPECT_EQ(start({.committed = 5, .low = 0, .high = 50}, {{0, 10}, {12, 30}}).value(), 10);
  EXPECT_EQ(start({.committed = 12, .low = 0, .high = 50}, {{0, 10}, {12, 30}}).value(), 30);
  EXPECT_EQ(start({.committed = 11, .low = 0, .high = 50}, {{0, 10}, {12, 30}}).value(), 11);
}

TEST(Start, DoesNotTrustAGroupThatTheLakeDoesNotBearOut) {
  EXPECT_EQ(start({.committed = 40, .low = 0, .high = 50}, {}).value(), 0) << "the lake was emptied";
  EXPECT_EQ(start({.committed = 40, .low = 0, .high = 50}, {{0, 30}}).value(), 30) << "died before its first commit";
  EXPECT_EQ(start({.committed = 5, .low = 0, .high = 50}, {{0, 30}}).value(), 30) << "the offset was reset";
}

TEST(Start, AfterTrimmedOffsetsIsAnError) {
  EXPECT_EQ(start({.committed = 30, .low = 25, .high = 50}, {{0, 30}}).value(), 30);
  auto lost = start({.committed = 30, .low = 40, .high = 50}, {{0, 30}});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::not_found);
  EXPECT_THAT(lost.error().message, HasSubstr("t/0: offsets 30 to 39 are gone"));
  EXPECT_THAT(lost.error().message, HasSubstr("on.lost.offsets=continue"));
  EXPECT_EQ(start({.committed = 30, .low = 40, .high = 50, .accept_lost = true}, {{0, 30}}).value(), 40);
}

TEST(Start, RefusesALakeAheadOfTheLog) {
  auto ahead = start({.committed = 10, .low = 0, .high = 10}, {{0, 30}});
  ASSERT_FALSE(ahead);
  EXPECT_EQ(ahead.error().code, Code::conflict);
  EXPECT_THAT(ahead.error().message, HasSubstr("up to offset 29, but the log ends before offset 10"));
}

}  // namespace
}  // namespace pinflow::sink
