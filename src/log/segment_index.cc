#include "log/segment_index.h"

#include <algorithm>

#include "base/bytes.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kMagic = "PFI1";
constexpr size_t kEntryBytes = 16;

}  // namespace

void SegmentIndex::note(const BatchHeader& batch) {
  const int64_t last = entries_.empty() ? 0 : entries_.back().position;
  if (summary_.bytes - last >= kIndexInterval) {
    entries_.push_back({static_cast<uint32_t>(batch.base_offset - summary_.base_offset),
                        static_cast<uint32_t>(summary_.bytes), summary_.max_timestamp});
  }
  summary_.bytes += batch.bytes();
  summary_.end_offset = batch.last_offset() + 1;
  summary_.max_timestamp = std::max(summary_.max_timestamp, batch.max_timestamp);
}

int64_t SegmentIndex::position_of(int64_t offset) const {
  const int64_t relative = offset - summary_.base_offset;
  const auto after = std::ranges::upper_bound(entries_, relative, {}, [](const Entry& e) { return int64_t{e.offset}; });
  return after == entries_.begin() ? 0 : std::prev(after)->position;
}

int64_t SegmentIndex::position_of_time(int64_t timestamp_ms) const {
  // The first entry before which a record of that time is: the one before it is where to begin.
  const auto after = std::ranges::lower_bound(entries_, timestamp_ms, {}, &Entry::max_timestamp_before);
  return after == entries_.begin() ? 0 : std::prev(after)->position;
}

std::string SegmentIndex::encode() const {
  std::string entries;
  entries.reserve(entries_.size() * kEntryBytes);
  for (const auto& entry : entries_) {
    append_big(entries, entry.offset);
    append_big(entries, entry.position);
    append_big(entries, entry.max_timestamp_before);
  }
  std::string fields;
  append_big(fields, summary_.base_offset);
  append_big(fields, summary_.bytes);
  append_big(fields, summary_.end_offset);
  append_big(fields, summary_.max_timestamp);
  append_big(fields, crc32c(entries));
  std::string file(kMagic);
  append_big(file, crc32c(fields));
  return file + fields + entries;
}

Result<SegmentSummary> SegmentIndex::decode_summary(std::string_view header) {
  if (header.size() < kIndexHeaderBytes || !header.starts_with(kMagic)) return corrupt("not an index");
  header = header.substr(0, kIndexHeaderBytes);
  if (load_big<uint32_t>(header.data() + 4) != crc32c(header.substr(8))) return corrupt("the header's CRC is wrong");
  return SegmentSummary{load_big<int64_t>(header.data() + 8), load_big<int64_t>(header.data() + 16),
                        load_big<int64_t>(header.data() + 24), load_big<int64_t>(header.data() + 32)};
}

Result<SegmentIndex> SegmentIndex::decode(std::string_view file) {
  auto summary = decode_summary(file);
  if (!summary) return pass(summary.error());
  const auto entries = file.substr(kIndexHeaderBytes);
  if (entries.size() % kEntryBytes != 0 || load_big<uint32_t>(file.data() + 40) != crc32c(entries)) {
    return corrupt("the entries' CRC is wrong");
  }
  SegmentIndex index(summary->base_offset);
  index.summary_ = *summary;
  index.entries_.reserve(entries.size() / kEntryBytes);
  for (size_t at = 0; at < entries.size(); at += kEntryBytes) {
    const char* entry = entries.data() + at;
    index.entries_.push_back({load_big<uint32_t>(entry), load_big<uint32_t>(entry + 4), load_big<int64_t>(entry + 8)});
  }
  return index;
}

}  // namespace pinflow::log
