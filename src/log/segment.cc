#include "log/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/logging.h"
#include "log/batch_reader.h"
#include "log/recovery.h"

namespace pinflow::log {
namespace fs = std::filesystem;

namespace {

constexpr size_t kDigits = 20;

fs::path index_path(const fs::path& log_path) { return fs::path(log_path).replace_extension(".index"); }

Result<Fd> open_to_read(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + path.string());
  return fd;
}

Result<int64_t> size_of(int fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error(errno, "stat " + path.string());
  return static_cast<int64_t>(status.st_size);
}

bool describes(const SegmentSummary& summary, int64_t base_offset, int64_t end_offset, int64_t bytes) {
  return summary.base_offset == base_offset && summary.end_offset == end_offset && summary.bytes == bytes;
}

Result<SegmentIndex> rebuild_index(int fd, const fs::path& path, int64_t bytes, int64_t base_offset,
                                   int64_t end_offset) {
  info("log: {}: the index is missing or broken, making it again", path.string());
  auto recovered = recover_segment(fd, path, bytes, SegmentIndex(base_offset));
  if (!recovered) return pass(recovered.error());
  const auto& summary = recovered->index.summary();
  if (recovered->cut_bytes > 0) {
    return corrupt("{}, position {}: {}. The segment was whole when the next one was begun: restore it from a copy",
                   path.string(), summary.bytes, recovered->why);
  }
  if (summary.end_offset != end_offset) {
    return corrupt("{} ends before offset {}, the next segment begins at {}: a segment is missing", path.string(),
                   summary.end_offset, end_offset);
  }
  if (auto written = write_index(path, recovered->index); !written) {
    warn("log: {}; it will be made again when it is needed", written.error().message);
  }
  return std::move(recovered->index);
}

}  // namespace

fs::path segment_file(const fs::path& folder, int64_t base_offset, std::string_view suffix) {
  return folder / fmt::format("{:020}{}", base_offset, suffix);
}

std::optional<int64_t> offset_of_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  int64_t offset = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, offset);
  if (error != std::errc() || end != name.data() + kDigits || offset < 0) return std::nullopt;
  return offset;
}

Result<OpenSegment> open_closed_segment(const fs::path& path, int64_t base_offset, int64_t end_offset) {
  auto fd = open_to_read(path);
  if (!fd) return pass(fd.error());
  auto bytes = size_of(fd->get(), path);
  if (!bytes) return pass(bytes.error());
  if (auto file = read_file(index_path(path))) {
    auto index = SegmentIndex::decode(*file);
    if (index && describes(index->summary(), base_offset, end_offset, *bytes)) {
      return OpenSegment{std::move(*fd), std::move(*index)};
    }
  }
  auto index = rebuild_index(fd->get(), path, *bytes, base_offset, end_offset);
  if (!index) return pass(index.error());
  return OpenSegment{std::move(*fd), std::move(*index)};
}

Result<SegmentSummary> summary_of_closed_segment(const fs::path& path, int64_t base_offset, int64_t end_offset) {
  auto fd = open_to_read(path);
  if (!fd) return pass(fd.error());
  auto bytes = size_of(fd->get(), path);
  if (!bytes) return pass(bytes.error());
  if (auto index_fd = open_to_read(index_path(path))) {
    std::string header;
    if (read_exactly(index_fd->get(), 0, kIndexHeaderBytes, header)) {
      auto summary = SegmentIndex::decode_summary(header);
      if (summary && describes(*summary, base_offset, end_offset, *bytes)) return *summary;
    }
  }
  auto index = rebuild_index(fd->get(), path, *bytes, base_offset, end_offset);
  if (!index) return pass(index.error());
  return index->summary();
}

Result<> write_index(const fs::path& log_path, const SegmentIndex& index) {
  const fs::path path = index_path(log_path);
  const fs::path temporary = fs::path(path).concat(".tmp");
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "create " + temporary.string());
  if (auto written = write_all(fd.get(), index.encode(), temporary.string()); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(errno, "rename to " + path.string());
  return {};
}

Result<std::shared_ptr<const OpenSegment>> OpenSegments::get(const std::shared_ptr<const Segment>& segment) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = places_.find(segment.get()); found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->open;
    }
  }
  auto open = open_closed_segment(segment->path, segment->summary.base_offset, segment->summary.end_offset);
  if (!open) return pass(open.error());
  auto shared = std::make_shared<const OpenSegment>(std::move(*open));
  put(segment, shared);
  return shared;
}

void OpenSegments::put(const std::shared_ptr<const Segment>& segment, std::shared_ptr<const OpenSegment> open) {
  std::shared_ptr<const OpenSegment> dropped;  // closed after the lock is given back
  const std::lock_guard lock(mutex_);
  if (places_.contains(segment.get())) return;
  entries_.push_front({segment, std::move(open)});
  places_.emplace(segment.get(), entries_.begin());
  if (entries_.size() <= limit_) return;
  places_.erase(entries_.back().segment.get());
  dropped = std::move(entries_.back().open);
  entries_.pop_back();
}

void OpenSegments::forget(const Segment* segment) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(segment);
  if (found == places_.end()) return;
  entries_.erase(found->second);
  places_.erase(found);
}

}  // namespace pinflow::log
