// The sparse index of one segment: where to begin the search for an offset or a time. Pure; not thread-safe.
//
// The file <first offset>.index, integers big-endian:
//    0 "PFI1" | 4 crc u32 (CRC-32C of bytes 8 to 43) | 8 base offset i64 | 16 covered i64 (bytes of the .log)
//   24 end offset i64 | 32 max timestamp i64 | 40 crc of the entries u32 | 44 entries of 16 bytes:
//      offset u32 (of a batch, after the base offset) | its position u32 | max timestamp before it i64
//
// It is written when the segment is closed and when the log is closed, never while it grows, and is not fsynced: it
// can be made again from the .log. When it is there and its CRCs are right, the first `covered` bytes of the .log
// were on the disk before it was written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "log/batch.h"

namespace pinflow::log {

inline constexpr int64_t kIndexInterval = 16 << 10;  // bytes of the .log between two entries, at least
inline constexpr size_t kIndexHeaderBytes = 44;

// What the header of the file says of its segment.
struct SegmentSummary {
  int64_t base_offset = 0;
  int64_t bytes = 0;           // whole batches, from the start of the .log
  int64_t end_offset = 0;      // one past the last record
  int64_t max_timestamp = -1;  // of all records; -1 where there are none
};

class SegmentIndex {
 public:
  explicit SegmentIndex(int64_t base_offset) : summary_{base_offset, 0, base_offset, -1} {}

  const SegmentSummary& summary() const { return summary_; }
  // The batch that follows what was noted before. It ends below 4 GiB, its offsets below base + 2^32.
  void note(const BatchHeader& batch);

  // A position at or before the batch that holds `offset`, which is in the segment; at most about kIndexInterval
  // and one batch before it.
  int64_t position_of(int64_t offset) const;
  // A position at or before the first batch with a record of at least this time.
  int64_t position_of_time(int64_t timestamp_ms) const;

  std::string encode() const;
  // corrupt when the bytes are not such a file.
  static Result<SegmentIndex> decode(std::string_view file);
  // Of the first kIndexHeaderBytes.
  static Result<SegmentSummary> decode_summary(std::string_view header);

 private:
  struct Entry {
    uint32_t offset;
    uint32_t position;
    int64_t max_timestamp_before;
  };

  SegmentSummary summary_;
  std::vector<Entry> entries_;  // rising in every field; the batch at position 0 has none
};

}  // namespace pinflow::log
