// Random numbers that are the same on every machine: whole-number arithmetic only. A stream belongs to (seed, what,
// number), so that a post can be made without making those before it. Not for secrets. Pure.
//
// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinflow::source {

constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// FNV-1a, 64 bits: a stable number for a name.
constexpr uint64_t hash_name(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

class Random {
 public:
  Random(uint64_t seed, uint64_t what, uint64_t number)
      : state_(mix(mix(seed + golden) ^ what) + mix(number + golden)) {}

  uint64_t next() { return mix(state_ += golden); }
  // 0 to bound - 1; bound is above 0. (The bias is below bound / 2^64.)
  uint64_t below(uint64_t bound) { return scaled(next(), bound); }
  // The same, leaning to the small: bound * fraction ^ skew, with a fraction drawn evenly from 0 to 1.
  uint64_t below(uint64_t bound, int skew) {
    const uint64_t drawn = next();
    uint64_t fraction = drawn;
    for (int i = 1; i < skew; ++i) fraction = scaled(fraction, drawn);
    return scaled(fraction, bound);
  }
  // True with the chance threshold / 2^64.
  bool chance(uint64_t threshold) { return next() < threshold; }

 private:
  static constexpr uint64_t golden = 0x9e3779b97f4a7c15u;
  __extension__ using Wide = unsigned __int128;
  static uint64_t scaled(uint64_t fraction, uint64_t by) {
    return static_cast<uint64_t>((static_cast<Wide>(fraction) * by) >> 64);
  }

  uint64_t state_;
};

}  // namespace pinflow::source
