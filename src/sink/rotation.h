// When a file in progress is closed and becomes an object. Pure: time comes as a number.
#pragma once

#include <chrono>
#include <cstdint>

namespace pinflow::sink {

struct Rotation {
  int64_t flush_size = 10'000;                // records; flush.size
  int64_t max_bytes = 64 << 20;               // an object is closed when it has grown over this
  std::chrono::milliseconds max_age{10'000};  // since its first record came; flush.interval.ms
  std::chrono::milliseconds max_idle{2'000};  // since its last record came; flush.idle.ms
};

// What a file in progress is judged by. Times are steady-clock milliseconds.
struct Progress {
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t opened_ms = 0;
  int64_t touched_ms = 0;
};

// Asked after each record.
inline bool is_full(const Rotation& rotation, const Progress& file) {
  return file.records >= rotation.flush_size || file.bytes >= rotation.max_bytes;
}

// Asked now and then; never for a file without records.
inline bool is_due(const Rotation& rotation, const Progress& file, int64_t now_ms) {
  return now_ms - file.opened_ms >= rotation.max_age.count() || now_ms - file.touched_ms >= rotation.max_idle.count();
}

}  // namespace pinflow::sink
