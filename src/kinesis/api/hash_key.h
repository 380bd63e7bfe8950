// Hash keys: a record's place among the shards, 0 to 2^128 - 1. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::kinesis {

__extension__ using HashKey = unsigned __int128;
inline constexpr HashKey kLastHashKey = ~HashKey{0};

struct HashKeyRange {
  HashKey first = 0;
  HashKey last = kLastHashKey;  // within the range
  bool operator==(const HashKeyRange&) const = default;
};

// Of a record without an explicit one: the MD5 of the partition key's UTF-8, read as a big-endian number.
HashKey hash_key_of(std::string_view partition_key);

// Decimal, "0" or without leading zeros. Nothing where it is no such number or over 2^128 - 1.
std::optional<HashKey> parse_hash_key(std::string_view text);
std::string text_of(HashKey key);

// `count` ranges of one size, in order; the last takes what division leaves over.
std::vector<HashKeyRange> uniform_ranges(int32_t count);

}  // namespace pinflow::kinesis
