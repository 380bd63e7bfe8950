// Which offsets of a partition the lake holds, and where a sink therefore begins. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::sink {

// Offsets [start, end).
struct Range {
  int64_t start = 0;
  int64_t end = 0;
  bool operator==(const Range&) const = default;
};

class Coverage {
 public:
  Coverage() = default;
  // In any order; they may touch. Ranges that overlap are no chain of objects: corrupt, naming the offsets.
  static Result<Coverage> of(std::vector<Range> ranges);

  // The first offset, from this one on, that is not covered.
  int64_t first_uncovered(int64_t from) const;
  bool contains(int64_t offset) const { return first_uncovered(offset) != offset; }
  // Neither is asked where it is empty.
  int64_t first() const { return ranges_.front().start; }
  int64_t end() const { return ranges_.back().end; }
  bool empty() const { return ranges_.empty(); }
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;  // sorted, joined where they touch
};

struct StartFacts {
  std::optional<int64_t> committed;   // by the group
  int64_t low = 0;                    // of the log: its first record,
  int64_t high = 0;                   // and where its next one will go
  std::optional<int64_t> lake_first;  // the lowest offset in the lake
  int64_t lake_end = 0;               // one past the highest
  bool accept_lost = false;           // what the log has lost is given up
};

// From where the lake's coverage must be known. The group's offset counts as far as the lake bears it out; where the
// lake is behind it (emptied, or another one) the lake is asked from its start, or from the log's.
int64_t begin_of_search(const StartFacts& facts);

// The offset to begin at, `uncovered` being the lake's first uncovered one from begin_of_search on.
//   conflict   the lake is ahead of the log's end: it is another log
//   not_found  records between the lake's end and the log's start are gone
// `where` is "topic/partition", for the message.
Result<int64_t> start_position(const StartFacts& facts, int64_t uncovered, std::string_view where);

}  // namespace pinflow::sink
