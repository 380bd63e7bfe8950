// One segment of a partition: a .log file of consecutive batches, and its index.
//   <first offset, 20 digits>.log      the batches as Kafka has them on the wire; see kAfterSync for the one exception
//   <first offset, 20 digits>.index    see segment_index.h
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "log/segment_index.h"

namespace pinflow::log {

std::filesystem::path segment_file(const std::filesystem::path& folder, int64_t base_offset, std::string_view suffix);
// The offset of a name "<20 digits><suffix>"; nullopt for another.
std::optional<int64_t> offset_of_name(std::string_view name, std::string_view suffix);

// What is needed to read a segment.
struct OpenSegment {
  Fd fd;
  SegmentIndex index;
};

// A closed segment does not change any more.
struct Segment {
  std::filesystem::path path;  // of the .log
  SegmentSummary summary;
};

// Opens a closed segment. Where its index is missing or broken it is made again from the .log, and written.
// corrupt, with file and position, where the .log is damaged or does not end at `end_offset`, where the next begins.
Result<OpenSegment> open_closed_segment(const std::filesystem::path& path, int64_t base_offset, int64_t end_offset);

// Of a closed segment without reading its entries, where the header of its index is good; else as open_closed_segment.
Result<SegmentSummary> summary_of_closed_segment(const std::filesystem::path& path, int64_t base_offset,
                                                 int64_t end_offset);

// Replaces the index file of a segment. Not fsynced.
Result<> write_index(const std::filesystem::path& log_path, const SegmentIndex& index);

// The closed segments that were read last, of all partitions: bounds open files and memory (an index of a segment of
// 256 MiB takes up to 256 KiB). Thread-safe.
class OpenSegments {
 public:
  explicit OpenSegments(size_t limit) : limit_(limit) {}

  Result<std::shared_ptr<const OpenSegment>> get(const std::shared_ptr<const Segment>& segment);
  void put(const std::shared_ptr<const Segment>& segment, std::shared_ptr<const OpenSegment> open);
  void forget(const Segment* segment);

 private:
  struct Entry {
    std::shared_ptr<const Segment> segment;
    std::shared_ptr<const OpenSegment> open;
  };

  const size_t limit_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<const Segment*, std::list<Entry>::iterator> places_;
};

}  // namespace pinflow::log
