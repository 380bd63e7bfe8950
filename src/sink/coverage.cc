#include "sink/coverage.h"

#include <algorithm>

namespace pinflow::sink {

Result<Coverage> Coverage::of(std::vector<Range> ranges) {
  std::ranges::sort(ranges, {}, &Range::start);
  Coverage coverage;
  for (const Range& range : ranges) {
    auto& joined = coverage.ranges_;
    if (joined.empty() || range.start > joined.back().end) {
      joined.push_back(range);
    } else if (range.start < joined.back().end) {
      return corrupt("two objects hold the offset {}", range.start);
    } else {
      joined.back().end = range.end;
    }
  }
  return coverage;
}

int64_t Coverage::first_uncovered(int64_t from) const {
  const auto behind = std::ranges::upper_bound(ranges_, from, {}, &Range::start);
  if (behind == ranges_.begin()) return from;
  return std::max(from, std::prev(behind)->end);
}

int64_t begin_of_search(const StartFacts& facts) {
  const bool borne_out = facts.lake_first && facts.committed && *facts.committed <= facts.lake_end;
  if (borne_out) return *facts.committed;
  return std::min(facts.low, facts.lake_first.value_or(facts.low));
}

Result<int64_t> start_position(const StartFacts& facts, int64_t uncovered, std::string_view where) {
  if (facts.lake_first && facts.lake_end > facts.high)
    return fail(
        Code::conflict,
        "{}: the lake holds records up to offset {}, but the log ends before offset {}: the topic was made anew "
        "or its log was lost. Use another lake, or move the topic's objects and its state/topics object away",
        where, facts.lake_end - 1, facts.high);
  if (uncovered >= facts.low || facts.accept_lost) return std::max(uncovered, facts.low);
  return not_found(
      "{}: offsets {} to {} are gone from the log (retention) and are not in the lake. To go on without "
      "them set on.lost.offsets=continue",
      where, uncovered, facts.low - 1);
}

}  // namespace pinflow::sink
