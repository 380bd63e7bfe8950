// The files of one partition: closed segments, the active one that grows, and where the log starts.
//
//   <first offset>.log, .index    see segment.h
//   <end offset>.producers        see producer_state.h; kept by the partition
//   start                         first offset that still is there, decimal; absent: that of the first segment
//
// Any thread may read; `append` and `close` are called by one thread at a time (the partition sees to it).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "log/file_calls.h"
#include "log/log.h"
#include "log/segment.h"

namespace pinflow::log {

// Makes the folder with an empty first segment; fsynced. Its parent is there.
Result<> create_partition_folder(const std::filesystem::path& folder);

class PartitionFiles {
 public:
  using OnBatch = std::function<void(const BatchHeader&)>;

  // Cuts a torn tail, and says so; what is served afterwards is on the disk. corrupt: see recovery.h.
  static Result<std::unique_ptr<PartitionFiles>> open(std::filesystem::path folder, bool fsync, FileCalls& calls,
                                                      OpenSegments& closed);

  ~PartitionFiles();

  int64_t start() const { return start_.load(std::memory_order_acquire); }
  int64_t end() const { return end_.load(std::memory_order_acquire); }
  int64_t active_bytes() const { return active_->index.summary().bytes; }              // by the appending thread
  int64_t active_base_offset() const { return active_->index.summary().base_offset; }  // by the appending thread

  // Writes the batches (whole, consecutive from end(), one after the other in the chunks) and fsyncs; then they are
  // visible, and `on_batch` has been called with each. In a new segment where `new_segment` says so. On failure
  // (full, unavailable) nothing is visible and nothing stays in the file, at the latest when a later append succeeds.
  Result<> append(std::span<const std::string> chunks, bool new_segment, const OnBatch& on_batch);

  Result<std::string> read(int64_t offset, int64_t max_bytes);
  Result<TimedOffset> offset_for_time(int64_t timestamp_ms);
  // The headers of all batches that hold records from `offset` on.
  Result<> replay(int64_t offset, const OnBatch& on_batch);

  // Moves the start; removes the closed segments below it. invalid above the end.
  Result<> delete_before(int64_t offset);
  // Deletes the oldest closed segments: whose records are all older than `retention_ms`, or without which there are
  // still `retention_bytes`. -1: no bound.
  Result<> retain(int64_t now_ms, int64_t retention_ms, int64_t retention_bytes);

  // fsyncs, and writes the index, so that the next open need not scan.
  Result<> close();

  const std::filesystem::path& folder() const { return folder_; }

 private:
  PartitionFiles(std::filesystem::path folder, bool fsync, FileCalls& calls, OpenSegments& closed)
      : folder_(std::move(folder)), fsync_(fsync), calls_(calls), cache_(closed) {}

  struct Place {
    std::shared_ptr<const OpenSegment> segment;
    int64_t position = 0;  // of a batch
    int64_t limit = 0;     // bytes of the segment that are visible
  };

  Result<> open_closed(std::span<const int64_t> base_offsets);
  Result<> open_active(int64_t base_offset);
  Result<> begin_segment();
  Result<> write(std::span<const std::string> chunks, int64_t position);
  Result<> cut_to_durable_end();
  Result<Place> find(int64_t offset);
  Result<std::optional<TimedOffset>> first_since(const Place& place, int64_t timestamp_ms) const;
  std::filesystem::path log_path(int64_t base_offset) const { return segment_file(folder_, base_offset, ".log"); }

  const std::filesystem::path folder_;
  const bool fsync_;
  FileCalls& calls_;
  OpenSegments& cache_;

  std::atomic<int64_t> start_{0};
  std::atomic<int64_t> end_{0};
  std::mutex mutex_;                                   // of what follows, and of active_->index
  std::deque<std::shared_ptr<const Segment>> closed_;  // oldest first
  std::shared_ptr<OpenSegment> active_;

  std::mutex trim_mutex_;      // one moves the start at a time
  bool tail_unknown_ = false;  // by the appending thread: the file may have bytes behind the durable end
  int64_t indexed_bytes_ = 0;  // by the appending thread: of the active segment, covered by the index file
};

}  // namespace pinflow::log
