// Python's random numbers, so that `--seed 100` draws the rows that the course's script draws. As documented for
// CPython's random module: MT19937 (Matsumoto and Nishimura, 1998), seeded by init_by_array with the absolute value's
// 32-bit words, lowest first; a number below n by drawing n's bit length and rejecting what is not below n. Pure.
#pragma once

#include <array>
#include <cstdint>

namespace pinflow::emulate {

class PythonRandom {
 public:
  // random.seed(seed)
  explicit PythonRandom(int64_t seed);

  // random.getrandbits(bits); 1 to 64.
  uint64_t bits(int bits);
  // random.randrange(low, high): low <= it < high.
  int64_t range(int64_t low, int64_t high);
  // random.randint(low, high): low <= it <= high.
  int64_t integer(int64_t low, int64_t high) { return range(low, high + 1); }

 private:
  static constexpr int kWords = 624;
  uint32_t word();
  void refill();
  void seed_word(uint32_t seed);

  std::array<uint32_t, kWords> state_;
  int next_ = kWords;
};

}  // namespace pinflow::emulate
