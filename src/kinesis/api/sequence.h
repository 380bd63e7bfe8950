// Sequence numbers: a record's place in its shard as a decimal number of some 56 digits. Pure.
//
// The number in hexadecimal, from the left: 2 | 9 digits: second of the shard's making | 1: low digit of the shard |
// 16: index | 2: mark of the stream | 9: second of the record | 8: shard | 2. Within a shard numbers are ordered as
// indexes are. The index is the record's offset in the log plus one, so the shard's own first number (index 0) lies
// before all its records, and its last (the greatest index) behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::kinesis {

inline constexpr int64_t kLastIndex = INT64_MAX;

struct SequenceNumber {
  int64_t shard_created_s = 0;
  int64_t index = 0;
  uint8_t mark = 0;  // tells streams of one name apart that were made in the same second
  int64_t time_s = 0;
  int32_t shard = 0;

  bool operator==(const SequenceNumber&) const = default;
};

std::string text_of(const SequenceNumber& number);
// Nothing where the text is no number of this layout.
std::optional<SequenceNumber> parse_sequence_number(std::string_view text);

}  // namespace pinflow::kinesis
