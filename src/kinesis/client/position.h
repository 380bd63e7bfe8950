// Where the reading of a shard stands, how an iterator is asked for it, and whether the first records that come are
// those that follow it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kinesis/client/records.h"

namespace pinflow::kinesis {

struct Position {
  enum class Kind { oldest, latest, time, after, at } kind = Kind::oldest;
  std::string sequence;     // of after and at
  int64_t time_ms = 0;      // of time
  int64_t complete_ms = 0;  // of after: until then the shard had been read to its tip, `sequence` being its last record
};

// {"StreamName":…,"ShardId":…,"ShardIteratorType":…}. `after` is asked for as AT_SEQUENCE_NUMBER: whether that record
// still comes tells whether something behind it was trimmed.
std::string iterator_body(std::string_view stream, std::string_view shard, const Position& position);

// {"ShardIterator":…,"Limit":…}
std::string get_records_body(std::string_view iterator, int32_t limit);

// The first answer behind an iterator for `position`: takes the record of `after` out of the block.
//   true   the position was found, or nothing had to be
//   false  nothing came yet: look at the next answer too
//   corrupt  a gap, or it cannot be told that there is none
// `at_tip`: nothing lies behind the block. `oldest_kept_ms`: what arrived before may have been trimmed.
Result<bool> settle_position(const Position& position, RecordBlock& block, bool at_tip, int64_t oldest_kept_ms);

// Nothing can lie between these two, as far as the numbers tell: in the layout that our service, kinesalite and AWS
// share their indexes follow one another.
bool are_neighbours(std::string_view earlier, std::string_view later);

}  // namespace pinflow::kinesis
