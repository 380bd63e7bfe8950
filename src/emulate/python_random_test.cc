// Expected numbers: printed by CPython 3.11, for each seed after one random.seed(seed):
//   [random.getrandbits(32) for _ in range(3)], [random.randint(0, 10) for _ in range(5)],
//   [random.randrange(0, 1) for _ in range(2)], [random.randrange(0, 2**33 + 5) for _ in range(3)],
//   [random.randrange(0, 2**62 + 1) for _ in range(2)]
#include "emulate/python_random.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace pinflow::emulate {
namespace {

TEST(PythonRandom, DrawsTheCoursesRows) {
  PythonRandom random(100);
  const std::vector<std::pair<int64_t, int64_t>> expected = {{0, 7528}, {1, 2863}, {1, 5730}, {1, 8304},
                                                             {0, 8731}, {0, 1313}, {1, 4315}, {0, 10794},
                                                             {0, 5494}, {0, 5069}, {0, 2923}, {0, 3089}};
  for (const auto& [pause, row] : expected) {
    EXPECT_EQ(random.range(0, 2), pause);
    EXPECT_EQ(random.integer(0, 11000), row);
  }
}

struct Golden {
  int64_t seed;
  std::vector<uint64_t> words;
  std::vector<int64_t> to_ten;
  std::vector<int64_t> to_2_33_and_5;
  std::vector<int64_t> to_2_62_and_1;
};

TEST(PythonRandom, DrawsWhatPythonDraws) {
  const std::vector<Golden> all = {
      {0,
       {3626764237, 1654615998, 3255389356},
       {6, 0, 4, 8, 7},
       {8451636615, 4893143322, 7728375201},
       {2860606463542248233, 4354747929303961118}},
      {1,
       {577090037, 2444712010, 3639700191},
       {1, 4, 1, 7, 7},
       {3387541014, 4698091148, 7884551090},
       {2456465800505386285, 942879118058144418}},
      {-5,
       {2675342405, 1097127993, 3185950873},
       {5, 10, 8, 0, 7},
       {3869338171, 4781183222, 5353989544},
       {940547825265273192, 2299669992623165253}},
      {100,
       {625644691, 1973661107, 1953896601},
       {2, 6, 5, 6, 8},
       {6253239943, 4067669068, 1440320622},
       {1298939308126739143, 3413220978456873130}},
      {4294967296,
       {485306839, 1508871100, 1794561286},
       {0, 0, 9, 5, 8},
       {593069562, 8404359180, 6447106509},
       {4419298599332858982, 4263379881400298593}},
      {1099511627783,
       {2635837658, 3209733218, 3500038837},
       {10, 9, 7, 4, 9},
       {5854702217, 6197549896, 1599202729},
       {1658502594565816218, 1502559753654799024}},
      {INT64_MAX,
       {1359979423, 2819855560, 2711238091},
       {2, 7, 7, 1, 7},
       {7333544994, 3402687524, 4147837457},
       {3606091755711146482, 3779772365829056946}},
      {INT64_MIN,
       {2377109768, 1691753470, 4039908392},
       {3, 3, 8, 1, 5},
       {817114749, 3339549603, 3143760029},
       {3366316456899609414, 3894661785514801198}},
  };
  for (const Golden& golden : all) {
    SCOPED_TRACE(golden.seed);
    PythonRandom random(golden.seed);
    for (const uint64_t word : golden.words) EXPECT_EQ(random.bits(32), word);
    for (const int64_t number : golden.to_ten) EXPECT_EQ(random.integer(0, 10), number);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(random.range(0, 1), 0);
    for (const int64_t number : golden.to_2_33_and_5) EXPECT_EQ(random.range(0, (int64_t{1} << 33) + 5), number);
    for (const int64_t number : golden.to_2_62_and_1) EXPECT_EQ(random.range(0, (int64_t{1} << 62) + 1), number);
  }
}

// random.seed(5489), then the thousandth random.getrandbits(32).
TEST(PythonRandom, GoesOnAcrossRefills) {
  PythonRandom random(5489);
  uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) last = random.bits(32);
  EXPECT_EQ(last, 2180146995u);
}

}  // namespace
}  // namespace pinflow::emulate
