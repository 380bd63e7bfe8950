// One shard as a reader's thread fetches it: where it stands, what is under way, when it is due again. Pure; time comes
// as an argument.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "kinesis/client/client.h"
#include "kinesis/client/position.h"

namespace pinflow::kinesis {

// How often a shard is read: at its tip every `least`, at idle less and less often up to `idle`; once throttled not
// above AWS's 5 reads a second, less often while that is not enough.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  Pace(milliseconds least, milliseconds idle) : least_(least), idle_(std::max(least, idle)), interval_(least) {}

  // When to read again, the last read having begun at `began`.
  Clock::time_point after_records(Clock::time_point began, bool at_tip) {
    interval_ = least_;
    return began + std::max(floor_, at_tip || least_ >= kAllowed ? least_ : milliseconds(0));
  }
  Clock::time_point after_nothing(Clock::time_point began) {
    const auto interval = std::max(floor_, interval_);
    interval_ = std::min(idle_, interval_ + interval_ / 4 + milliseconds(1));
    return began + interval;
  }
  Clock::time_point after_throttling(Clock::time_point now) {
    floor_ = std::min(std::max(kAllowed, floor_ * 3 / 2), kLongest);
    throttled_ = now;
    return now + floor_;
  }
  void after_success(Clock::time_point now) {
    if (floor_ == milliseconds(0)) return;
    if (now - throttled_ > kForget) floor_ = milliseconds(0);
    else floor_ = std::max(kAllowed, floor_ * 15 / 16);
  }

 private:
  static constexpr milliseconds kAllowed{200}, kLongest{5'000}, kForget{60'000};
  const milliseconds least_, idle_;
  milliseconds interval_;
  milliseconds floor_{0};
  Clock::time_point throttled_{};
};

struct ShardFetch {
  enum class State {
    waiting,  // for its parents' ends to be released
    reading,
    ended,     // its end was fetched, and is not yet released
    released,  // its children may start
  };
  using Clock = Pace::Clock;

  ListedShard listed;
  State state = State::waiting;
  Position position;     // of the next iterator
  bool settled = false;  // the position was found in what came
  std::string iterator;  // empty: to be asked for
  std::string last;      // the last sequence number that was fetched
  bool under_way = false;
  bool end_fetched = false;
  int refusals = 0;  // of iterators, one after the other
  Clock::time_point due{};
  Pace pace;
};

}  // namespace pinflow::kinesis
