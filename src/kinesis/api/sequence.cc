#include "kinesis/api/sequence.h"

#include <algorithm>
#include <array>

namespace pinflow::kinesis {
namespace {

__extension__ using Wide = unsigned __int128;

// 188 bits, the lowest limb first.
using Limbs = std::array<uint64_t, 3>;

// Shifts the number to the left and puts `bits` bits of `value` behind it.
void push(Limbs& limbs, uint64_t value, int bits) {
  if (bits == 64) {
    limbs = {value, limbs[0], limbs[1]};
    return;
  }
  limbs[2] = limbs[2] << bits | limbs[1] >> (64 - bits);
  limbs[1] = limbs[1] << bits | limbs[0] >> (64 - bits);
  limbs[0] = limbs[0] << bits | (value & ((uint64_t{1} << bits) - 1));
}

// Takes the lowest `bits` bits.
uint64_t pop(Limbs& limbs, int bits) {
  if (bits == 64) {
    const uint64_t value = limbs[0];
    limbs = {limbs[1], limbs[2], 0};
    return value;
  }
  const uint64_t value = limbs[0] & ((uint64_t{1} << bits) - 1);
  limbs[0] = limbs[0] >> bits | limbs[1] << (64 - bits);
  limbs[1] = limbs[1] >> bits | limbs[2] << (64 - bits);
  limbs[2] >>= bits;
  return value;
}

// Divides in place; the remainder.
uint64_t divide(Limbs& limbs, uint64_t by) {
  Wide rest = 0;
  for (size_t i = 3; i-- > 0;) {
    const Wide here = rest << 64 | limbs[i];
    limbs[i] = static_cast<uint64_t>(here / by);
    rest = here % by;
  }
  return static_cast<uint64_t>(rest);
}

}  // namespace

std::string text_of(const SequenceNumber& number) {
  Limbs limbs{};
  push(limbs, 2, 4);
  push(limbs, static_cast<uint64_t>(number.shard_created_s), 36);
  push(limbs, static_cast<uint64_t>(number.shard), 4);
  push(limbs, static_cast<uint64_t>(number.index), 64);
  push(limbs, number.mark, 8);
  push(limbs, static_cast<uint64_t>(number.time_s), 36);
  push(limbs, static_cast<uint64_t>(number.shard), 32);
  push(limbs, 2, 4);
  // 18 digits at a time, from the right.
  std::string text;
  text.reserve(60);
  while (limbs[0] != 0 || limbs[1] != 0 || limbs[2] != 0) {
    uint64_t part = divide(limbs, 1'000'000'000'000'000'000);
    const bool last = limbs[0] == 0 && limbs[1] == 0 && limbs[2] == 0;
    for (int i = 0; i < 18 && (!last || part != 0); ++i, part /= 10) text += static_cast<char>('0' + part % 10);
  }
  std::reverse(text.begin(), text.end());
  return text;
}

std::optional<SequenceNumber> parse_sequence_number(std::string_view text) {
  if (text.size() < 55 || text.size() > 57) return std::nullopt;
  Limbs limbs{};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    Wide carry = static_cast<unsigned>(c - '0');
    for (uint64_t& limb : limbs) {
      carry += Wide{limb} * 10;
      limb = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) return std::nullopt;
  }
  SequenceNumber number;
  if (pop(limbs, 4) != 2) return std::nullopt;
  const uint64_t shard = pop(limbs, 32);
  number.time_s = static_cast<int64_t>(pop(limbs, 36));
  number.mark = static_cast<uint8_t>(pop(limbs, 8));
  const uint64_t index = pop(limbs, 64);
  const uint64_t low = pop(limbs, 4);
  number.shard_created_s = static_cast<int64_t>(pop(limbs, 36));
  if (pop(limbs, 4) != 2 || limbs != Limbs{}) return std::nullopt;
  if (shard > INT32_MAX || index > INT64_MAX || low != (shard & 15)) return std::nullopt;
  number.shard = static_cast<int32_t>(shard);
  number.index = static_cast<int64_t>(index);
  return number;
}

}  // namespace pinflow::kinesis
