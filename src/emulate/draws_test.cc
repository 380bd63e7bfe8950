#include "emulate/draws.h"

#include <gtest/gtest.h>

#include <vector>

namespace pinflow::emulate {
namespace {

std::vector<int64_t> rows_of(Draws draws, int most = 1000) {
  std::vector<int64_t> rows;
  while (auto draw = draws.next()) {
    rows.push_back(draw->row);
    if (static_cast<int>(rows.size()) == most) break;
  }
  return rows;
}

TEST(Draws, FollowsTheCourse) {
  EXPECT_EQ(rows_of(Draws(11'154, 100, 8, false)),
            (std::vector<int64_t>{7528, 2863, 5730, 8304, 8731, 1313, 4315, 10794}));
  Draws draws(11'154, 100, std::nullopt, false);
  std::vector<int> pauses;
  for (int i = 0; i < 8; ++i) pauses.push_back(draws.next()->pause_s);
  EXPECT_EQ(pauses, (std::vector<int>{0, 1, 1, 1, 0, 0, 1, 0}));
  EXPECT_EQ(rows_of(Draws(11'154, 100, std::nullopt, false)).size(), 1000u);
}

// [(random.randrange(0, 2), random.randint(0, 99))[1] for _ in range(5)] after random.seed(100), by CPython 3.11
TEST(Draws, StaysWithinASmallSource) {
  EXPECT_EQ(rows_of(Draws(100, 100, 5, false)), (std::vector<int64_t>{58, 98, 90, 93, 55}));
  for (const int64_t row : rows_of(Draws(3, 1, 500, false))) EXPECT_LT(row, 3);
  EXPECT_EQ(rows_of(Draws(1, 1, 3, false)), (std::vector<int64_t>{0, 0, 0}));
}

TEST(Draws, GivesAllInOrder) {
  EXPECT_EQ(rows_of(Draws(4, 100, 2, true)), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_TRUE(rows_of(Draws(0, 100, 5, false)).empty());
}

}  // namespace
}  // namespace pinflow::emulate
