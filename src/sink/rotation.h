// When a file in progress is closed and becomes an object. Pure: time comes as numbers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "sink/small_objects.h"

namespace pinflow::sink {

// The two clocks, read once for many records.
struct Now {
  int64_t steady_ms = 0;
  int64_t wall_ms = 0;  // since 1970-01-01 00:00 UTC
};

struct Rotation {
  int64_t flush_size = 10'000;                // records; flush.size
  int64_t max_bytes = 64 << 20;               // an object is closed when it has grown over this; flush.bytes
  std::chrono::milliseconds max_age{10'000};  // since its first record came; flush.interval.ms
  std::chrono::milliseconds max_idle{2'000};  // since its last record came; flush.idle.ms
  // By the records' own times, so that it comes out the same whenever it is done; 0: not. rotate.interval.ms
  std::chrono::milliseconds record_interval{0};
  // By the clock on the wall, at multiples of this from the start of the day on; 0: not. rotate.schedule.interval.ms
  std::chrono::milliseconds schedule_interval{0};
  // The start of the day in which this moment lies, in the connector's time zone (both wall-clock ms); empty: UTC.
  std::function<int64_t(int64_t)> start_of_day;
};

// What a file in progress is judged by.
struct Progress {
  int64_t records = 0;
  int64_t bytes = 0;
  Now opened;              // when its first record came
  int64_t touched_ms = 0;  // steady clock
};

// Asked after each record. Nothing: it may grow on.
inline std::optional<Cause> is_full(const Rotation& rotation, const Progress& file) {
  if (file.records >= rotation.flush_size) return Cause::size;
  if (file.bytes >= rotation.max_bytes) return Cause::bytes;
  return std::nullopt;
}

// The first moment of the schedule after this one.
inline int64_t next_on_schedule(const Rotation& rotation, int64_t wall_ms) {
  constexpr int64_t kDayMs = 86'400'000;
  const int64_t day =
      rotation.start_of_day ? rotation.start_of_day(wall_ms) : wall_ms - ((wall_ms % kDayMs) + kDayMs) % kDayMs;
  const int64_t interval = rotation.schedule_interval.count();
  return day + (std::max<int64_t>(wall_ms - day, 0) / interval + 1) * interval;
}

// Asked now and then; never for a file without records.
inline std::optional<Cause> is_due(const Rotation& rotation, const Progress& file, const Now& now) {
  if (now.steady_ms - file.touched_ms >= rotation.max_idle.count()) return Cause::idle;
  if (now.steady_ms - file.opened.steady_ms >= rotation.max_age.count()) return Cause::age;
  if (rotation.schedule_interval.count() > 0 && now.wall_ms >= next_on_schedule(rotation, file.opened.wall_ms))
    return Cause::schedule;
  return std::nullopt;
}

// Asked before a record is put into a file whose first record is of `base_ms`; -1 stands for no time.
inline bool is_over(const Rotation& rotation, int64_t base_ms, int64_t record_ms) {
  return rotation.record_interval.count() > 0 && base_ms >= 0 && record_ms >= 0 &&
         record_ms - base_ms >= rotation.record_interval.count();
}

}  // namespace pinflow::sink
