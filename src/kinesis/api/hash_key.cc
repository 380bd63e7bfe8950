#include "kinesis/api/hash_key.h"

#include <algorithm>

#include "aws/digest.h"
#include "base/bytes.h"

namespace pinflow::kinesis {

HashKey hash_key_of(std::string_view partition_key) {
  const std::string digest = aws::md5(partition_key);
  return HashKey{load_big<uint64_t>(digest.data())} << 64 | load_big<uint64_t>(digest.data() + 8);
}

std::optional<HashKey> parse_hash_key(std::string_view text) {
  if (text.empty() || text.size() > 39 || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  HashKey key = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<unsigned>(c - '0');
    if (key > (kLastHashKey - digit) / 10) return std::nullopt;
    key = key * 10 + digit;
  }
  return key;
}

std::string text_of(HashKey key) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(key % 10));
    key /= 10;
  } while (key != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

std::vector<HashKeyRange> uniform_ranges(int32_t count) {
  std::vector<HashKeyRange> ranges;
  // 2^128 / count without its overflow: (2^128 - 1) / count is the same unless count is a power of two.
  const HashKey n = static_cast<unsigned>(count);
  const HashKey size = kLastHashKey / n + (kLastHashKey % n == n - 1 ? 1 : 0);
  for (HashKey i = 0; i < n; ++i) ranges.push_back({i * size, i + 1 == n ? kLastHashKey : (i + 1) * size - 1});
  return ranges;
}

}  // namespace pinflow::kinesis
