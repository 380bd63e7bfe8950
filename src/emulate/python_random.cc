#include "emulate/python_random.h"

#include <bit>
#include <cassert>
#include <cstddef>
#include <vector>

namespace pinflow::emulate {

PythonRandom::PythonRandom(int64_t seed) {
  const uint64_t magnitude = seed < 0 ? uint64_t{0} - static_cast<uint64_t>(seed) : static_cast<uint64_t>(seed);
  std::vector<uint32_t> key{static_cast<uint32_t>(magnitude)};
  if (magnitude >> 32) key.push_back(static_cast<uint32_t>(magnitude >> 32));

  seed_word(19650218u);
  // init_by_array: the key, repeated, is mixed into each word; then the words into one another.
  std::size_t i = 1, j = 0;
  auto before = [&] { return state_[i - 1] ^ (state_[i - 1] >> 30); };
  auto advance = [&] {
    if (++i < kWords) return;
    state_[0] = state_[kWords - 1];
    i = 1;
  };
  for (int round = 0; round < kWords; ++round) {
    state_[i] = (state_[i] ^ (before() * 1664525u)) + key[j] + static_cast<uint32_t>(j);
    advance();
    j = (j + 1) % key.size();
  }
  for (int round = 0; round < kWords - 1; ++round) {
    state_[i] = (state_[i] ^ (before() * 1566083941u)) - static_cast<uint32_t>(i);
    advance();
  }
  state_[0] = 0x80000000u;
}

void PythonRandom::seed_word(uint32_t seed) {
  state_[0] = seed;
  for (uint32_t i = 1; i < kWords; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  next_ = kWords;
}

void PythonRandom::refill() {
  constexpr std::size_t kShift = 397;
  for (std::size_t i = 0; i < kWords; ++i) {
    const uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % kWords] & 0x7fffffffu);
    state_[i] = state_[(i + kShift) % kWords] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
  }
  next_ = 0;
}

uint32_t PythonRandom::word() {
  if (next_ == kWords) refill();
  uint32_t y = state_[static_cast<std::size_t>(next_++)];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

uint64_t PythonRandom::bits(int bits) {
  assert(bits >= 1 && bits <= 64);
  if (bits <= 32) return word() >> (32 - bits);
  const uint64_t low = word();
  return low | static_cast<uint64_t>(word() >> (64 - bits)) << 32;
}

int64_t PythonRandom::range(int64_t low, int64_t high) {
  assert(low < high);
  const uint64_t n = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const int length = std::bit_width(n);
  uint64_t drawn = bits(length);
  while (drawn >= n) drawn = bits(length);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + drawn);
}

}  // namespace pinflow::emulate
