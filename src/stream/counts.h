// What stream workers have counted since they were started, for reports and metrics. Values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lake/batch.h"

namespace pinflow::stream {

struct FeedCounts {
  std::string title;  // "stream streaming-local-pin"
  // Of each record type that it feeds; raw = clean + duplicates + dead, after - before = clean. `before` is of the
  // worker's start.
  std::vector<lake::RecordReport> records;
  int64_t unrouted = 0;     // dead letters that are of no record type, by their partition key
  int64_t plans = 0;        // micro-batches that were carried out
  int64_t files = 0;        // Parquet files added, dead letters' among them
  int64_t bytes = 0;        // of them
  int64_t commits = 0;      // Delta commits
  int64_t takeovers = 0;    // times that this worker began, or began again after another one
  int64_t plan = 0;         // the last number; 0: none
  int64_t complete_ms = 0;  // all that had arrived before this time is in its table
  int64_t window_rows = 0;  // rows among which repeats are looked for
  bool waiting = false;     // another worker has the lease
  std::string trouble;      // why nothing comes; empty when all is well
  std::string failure;      // why its worker has ended; empty: it has not
  double busy_seconds = 0;  // in micro-batches
};

struct StreamCounts {
  std::vector<FeedCounts> feeds;
};

}  // namespace pinflow::stream
