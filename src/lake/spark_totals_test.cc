#include "lake/spark_totals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TopicObject object(int64_t first, int64_t size, int64_t from = 0, int64_t to = INT64_MAX) {
  return {"t+0+" + std::to_string(first), 0, first, size, from, to};
}

SparkTotals totals(const SparkCounts& counts) {
  SparkTotals totals;
  totals.objects = counts;
  return totals;
}

TEST(SparkTotals, EveryByteOfEveryObjectIsALine) {
  // Ten bytes in two lines, seven without a last newline, nothing at all.
  const auto judged = judge_totals({object(0, 10), object(2, 7), object(3, 0)},
                                   totals({{{0, 0}, {2, 10, 0}}, {{0, 2}, {1, 8, 1}}}), {}, {});
  ASSERT_TRUE(judged);
  EXPECT_FALSE(judged->again);
  EXPECT_TRUE(judged->suspects.empty());
  EXPECT_THAT(judged->ends, ElementsAre(2, 3, 3));
}

TEST(SparkTotals, ALineThatIsNoRowOrTwoIsSeen) {
  for (const SparkCount& wrong : {SparkCount{1, 5, 0}, SparkCount{4, 20, 0}, SparkCount{}}) {
    const auto judged = judge_totals({object(0, 10)}, totals({{{0, 0}, wrong}}), {}, {});
    ASSERT_TRUE(judged);
    EXPECT_THAT(judged->suspects, ElementsAre(0)) << wrong.bytes;
  }
}

TEST(SparkTotals, AnObjectThatReachesOverThePlanIsReadInPart) {
  const std::vector<TopicObject> objects{object(0, 30, 0, 2)};
  const auto first = judge_totals(objects, totals({{{0, 0}, {3, 30, 0}}}), {}, {});
  ASSERT_TRUE(first && first->again);
  EXPECT_THAT(first->choice.numbered, ElementsAre(0));
  // Now with numbers: two of its three lines.
  const auto second = judge_totals(objects, totals({{{0, 0}, {2, 20, 0}}}), {{{0, 0}, {3, 30, 0}}}, first->choice);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->again);
  EXPECT_TRUE(second->suspects.empty());
  EXPECT_THAT(second->ends, ElementsAre(2));
  // A row too few is a fault of the cleaning.
  const auto third = judge_totals(objects, totals({{{0, 0}, {1, 10, 0}}}), {{{0, 0}, {3, 30, 0}}}, first->choice);
  ASSERT_TRUE(third);
  EXPECT_THAT(third->suspects, ElementsAre(0));
}

TEST(SparkTotals, AMarkThatSparkDropsIsFoundByItsThreeBytes) {
  const auto judged =
      judge_totals({object(0, 33), object(3, 4)}, totals({{{0, 0}, {3, 30, 0}}, {{0, 3}, {1, 4, 0}}}), {}, {});
  ASSERT_TRUE(judged && judged->again);
  EXPECT_THAT(judged->choice.marked, ElementsAre(0));
  EXPECT_THAT(judged->choice.numbered, ElementsAre(0));
}

// Three bytes, "{}\n", of which Spark has read none, are no mark.
TEST(SparkTotals, AnObjectThatSparkDoesNotSeeIsNotTakenForAMark) {
  const auto judged = judge_totals({object(0, 3)}, totals({}), {}, {});
  ASSERT_TRUE(judged);
  EXPECT_FALSE(judged->again);
  EXPECT_THAT(judged->suspects, ElementsAre(0));
}

TEST(SparkTotals, AnObjectThatCameMeanwhileEndsTheRun) {
  const auto judged = judge_totals({object(0, 10)}, totals({{{0, 0}, {1, 10, 0}}, {{0, 5}, {1, 10, 0}}}), {}, {});
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, Code::conflict);
  EXPECT_THAT(judged.error().message, HasSubstr("offset 5"));
}

TEST(SparkLines, OnlyThePlansFilesAreOpened) {
  const auto sql = spark_lines_sql("/lake", "a.b", {object(7, 1, 9, 20), object(12, 1, 9, 20)}, {});
  EXPECT_THAT(sql, HasSubstr("text.`/lake/topics/a.b`"));
  EXPECT_THAT(sql, HasSubstr("BETWEEN 7 AND 12"));
  EXPECT_THAT(sql, ::testing::Not(HasSubstr("row_number")));
  LineChoice choice;
  choice.numbered = {0};
  const auto part = spark_lines_sql("/lake", "a.b", {object(7, 1, 9, 20), object(12, 1, 9, 20)}, choice);
  EXPECT_THAT(part, HasSubstr("first IN (7)"));
  EXPECT_THAT(part, HasSubstr("first + n BETWEEN 9 AND 19"));
}

}  // namespace
}  // namespace pinflow::lake
