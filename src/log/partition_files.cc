#include "log/partition_files.h"

#include <fcntl.h>
#include <limits.h>
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

Result<Fd> create_log_file(const fs::path& path) {
  // A file of that name can only be what a failed attempt left.
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "create " + path.string());
  return fd;
}

Result<std::vector<int64_t>> list_segments(const fs::path& folder) {
  std::vector<int64_t> base_offsets;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (const auto offset = offset_of_name(name, ".log")) base_offsets.push_back(*offset);
    else if (name.ends_with(".tmp")) ::unlink(at->path().c_str());
  }
  if (error) return unavailable("reading the folder {}: {}", folder.string(), error.message());
  std::ranges::sort(base_offsets);
  return base_offsets;
}

Result<int64_t> read_start(const fs::path& folder) {
  const fs::path path = folder / "start";
  auto text = read_file(path);
  if (!text && text.error().code == Code::not_found) return -1;
  if (!text) return pass(text.error());
  int64_t start = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), start);
  if (error != std::errc() || start < 0 || std::string_view(end, text->data() + text->size()) != "\n") {
    return corrupt("{} does not hold an offset", path.string());
  }
  return start;
}

void remove_segment(const fs::path& log_path) {
  ::unlink(log_path.c_str());
  ::unlink(fs::path(log_path).replace_extension(".index").c_str());
}

}  // namespace

Result<> create_partition_folder(const fs::path& folder) {
  if (auto made = make_folders(folder); !made) return made;
  if (auto file = create_log_file(segment_file(folder, 0, ".log")); !file) return pass(file.error());
  return sync_folder(folder);
}

Result<std::unique_ptr<PartitionFiles>> PartitionFiles::open(fs::path folder, bool fsync, FileCalls& calls,
                                                             OpenSegments& closed) {
  std::unique_ptr<PartitionFiles> files(new PartitionFiles(std::move(folder), fsync, calls, closed));
  auto listed = list_segments(files->folder_);
  if (!listed) return pass(listed.error());
  auto start = read_start(files->folder_);
  if (!start) return pass(start.error());

  // A crash may have come between moving the start and removing what is below it.
  std::span<const int64_t> base_offsets = *listed;
  while (base_offsets.size() > 1 && base_offsets[1] <= *start) {
    remove_segment(files->log_path(base_offsets[0]));
    base_offsets = base_offsets.subspan(1);
  }
  if (base_offsets.empty() || base_offsets[0] > std::max(*start, int64_t{0})) {
    return corrupt("{} has no segment for offset {}: files are missing, restore them from a copy",
                   files->folder_.string(), std::max(*start, int64_t{0}));
  }
  files->start_ = std::max(*start, base_offsets[0]);
  if (auto opened = files->open_closed(base_offsets); !opened) return pass(opened.error());
  if (auto opened = files->open_active(base_offsets.back()); !opened) return pass(opened.error());
  if (files->end() < files->start()) {
    return corrupt("{} starts at offset {} but ends at {}: its last segment was cut or is missing",
                   files->folder_.string(), files->start(), files->end());
  }
  return files;
}

PartitionFiles::~PartitionFiles() {
  for (const auto& segment : closed_) cache_.forget(segment.get());
}

Result<> PartitionFiles::open_closed(std::span<const int64_t> base_offsets) {
  for (size_t i = 0; i + 1 < base_offsets.size(); ++i) {
    const fs::path path = log_path(base_offsets[i]);
    auto summary = summary_of_closed_segment(path, base_offsets[i], base_offsets[i + 1]);
    if (!summary) return pass(summary.error());
    closed_.push_back(std::make_shared<const Segment>(path, *summary));
  }
  return {};
}

Result<> PartitionFiles::open_active(int64_t base_offset) {
  const fs::path path = log_path(base_offset);
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + path.string());
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error(errno, "stat " + path.string());
  SegmentIndex known(base_offset);
  if (auto file = read_file(segment_file(folder_, base_offset, ".index"))) {
    auto index = SegmentIndex::decode(*file);
    if (index && index->summary().base_offset == base_offset) known = std::move(*index);
  }
  indexed_bytes_ = known.summary().bytes;
  auto recovered = recover_segment(fd.get(), path, status.st_size, std::move(known));
  if (!recovered) return pass(recovered.error());

  const auto& summary = recovered->index.summary();
  if (recovered->cut_bytes > 0) {
    info("log: {}: cut a torn tail of {} bytes after offset {} ({}); none of it was acknowledged", path.string(),
         recovered->cut_bytes, summary.end_offset - 1, recovered->why);
    if (calls_.truncate(fd.get(), summary.bytes) != 0) return system_error(errno, "truncate " + path.string());
  }
  // After kill -9 what was found may only be in the page cache; it is about to be served, so it must be on the disk.
  if (status.st_size != indexed_bytes_ && calls_.sync(fd.get()) != 0) {
    return system_error(errno, "fsync " + path.string());
  }
  end_ = summary.end_offset;
  active_ = std::make_shared<OpenSegment>(std::move(fd), std::move(recovered->index));
  return {};
}

Result<> PartitionFiles::append(std::span<const std::string> chunks, bool new_segment, const OnBatch& on_batch) {
  if (tail_unknown_) {
    if (auto cut = cut_to_durable_end(); !cut) return cut;
  }
  if (new_segment) {
    if (auto begun = begin_segment(); !begun) return begun;
  }
  const int fd = active_->fd.get();
  const int64_t position = active_bytes();
  auto done = write(chunks, position);
  if (done && fsync_ && calls_.sync(fd) != 0) {
    done = system_error(errno, "fsync " + log_path(active_base_offset()).string());
  }
  if (!done) {
    tail_unknown_ = true;
    if (auto cut = cut_to_durable_end(); !cut) warn("log: {}; trying again with the next append", cut.error().message);
    return done;
  }
  const std::lock_guard lock(mutex_);
  for (std::string_view rest : chunks) {
    while (!rest.empty()) {
      const auto header = read_batch_header(rest);
      active_->index.note(*header);
      on_batch(*header);
      rest.remove_prefix(static_cast<size_t>(header->bytes()));
    }
  }
  end_.store(active_->index.summary().end_offset, std::memory_order_release);
  return {};
}

Result<> PartitionFiles::write(std::span<const std::string> chunks, int64_t position) {
  std::vector<iovec> pieces;
  pieces.reserve(chunks.size());
  for (const auto& chunk : chunks) {
    if (!chunk.empty()) pieces.push_back({const_cast<char*>(chunk.data()), chunk.size()});
  }
  for (size_t first = 0; first < pieces.size();) {
    const auto count = std::min(pieces.size() - first, size_t{IOV_MAX});
    const ssize_t put = calls_.write_at(active_->fd.get(), &pieces[first], static_cast<int>(count), position);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(errno, "write " + log_path(active_base_offset()).string());
    position += put;
    auto left = static_cast<size_t>(put);
    while (first < pieces.size() && left >= pieces[first].iov_len) left -= pieces[first++].iov_len;
    if (first < pieces.size()) {
      pieces[first].iov_base = static_cast<char*>(pieces[first].iov_base) + left;
      pieces[first].iov_len -= left;
    }
  }
  return {};
}

// After a failed fsync the kernel may take the pages for clean although they never reached the disk: another fsync
// would succeed and prove nothing. So they are given up: the file is cut at the durable end, which also makes the page
// in which that end lies dirty again, and only what is written anew after it, and fsynced, will count.
Result<> PartitionFiles::cut_to_durable_end() {
  const int fd = active_->fd.get();
  if (calls_.truncate(fd, active_bytes()) != 0) {
    return system_error(errno, "truncate " + log_path(active_base_offset()).string());
  }
  if (fsync_ && calls_.sync(fd) != 0) return system_error(errno, "fsync " + log_path(active_base_offset()).string());
  tail_unknown_ = false;
  return {};
}

// A segment is closed only when all of it is on the disk, so only the last one of a partition can have a torn tail.
Result<> PartitionFiles::begin_segment() {
  const fs::path old_path = log_path(active_base_offset());
  if (!fsync_ && calls_.sync(active_->fd.get()) != 0) return system_error(errno, "fsync " + old_path.string());
  if (auto written = write_index(old_path, active_->index); !written) {
    warn("log: {}; it will be made again when it is needed", written.error().message);
  }
  const fs::path path = log_path(end());
  auto fd = create_log_file(path);
  if (!fd) return pass(fd.error());
  if (auto synced = sync_folder(folder_); !synced) {
    ::unlink(path.c_str());
    return synced;
  }
  auto next = std::make_shared<OpenSegment>(std::move(*fd), SegmentIndex(end()));
  const auto closed = std::make_shared<const Segment>(old_path, active_->index.summary());
  cache_.put(closed, active_);
  const std::lock_guard lock(mutex_);
  closed_.push_back(closed);
  active_ = std::move(next);
  indexed_bytes_ = 0;
  return {};
}

Result<> PartitionFiles::delete_before(int64_t offset) {
  const std::lock_guard one_at_a_time(trim_mutex_);
  if (offset > end()) return invalid("offset {} is beyond the end, {}", offset, end());
  if (offset <= start()) return {};
  // The start first: after a crash it tells that the segments below it are missing rightly.
  if (auto put = replace_file(folder_ / "start", fmt::format("{}\n", offset)); !put) return put;
  std::vector<std::shared_ptr<const Segment>> removed;
  {
    const std::lock_guard lock(mutex_);
    start_.store(offset, std::memory_order_release);
    for (; !closed_.empty() && closed_.front()->summary.end_offset <= offset; closed_.pop_front()) {
      removed.push_back(closed_.front());
    }
  }
  for (const auto& segment : removed) {
    cache_.forget(segment.get());
    remove_segment(segment->path);
  }
  return {};
}

Result<> PartitionFiles::retain(int64_t now_ms, int64_t retention_ms, int64_t retention_bytes) {
  int64_t new_start = -1;
  {
    const std::lock_guard lock(mutex_);
    int64_t bytes = active_->index.summary().bytes;
    for (const auto& segment : closed_) bytes += segment->summary.bytes;
    for (const auto& segment : closed_) {
      const auto& summary = segment->summary;
      // Records without a time (-1) do not age.
      const bool is_old =
          retention_ms >= 0 && summary.max_timestamp >= 0 && summary.max_timestamp < now_ms - retention_ms;
      const bool is_too_much = retention_bytes >= 0 && bytes - summary.bytes >= retention_bytes;
      if (!is_old && !is_too_much) break;
      bytes -= summary.bytes;
      new_start = summary.end_offset;
    }
  }
  if (new_start < 0) return {};
  info("log: {}: retention deletes what is before offset {}", folder_.string(), new_start);
  return delete_before(new_start);
}

Result<> PartitionFiles::close() {
  if (tail_unknown_) {
    if (auto cut = cut_to_durable_end(); !cut) return cut;
  }
  if (active_bytes() == indexed_bytes_) return {};
  if (!fsync_ && calls_.sync(active_->fd.get()) != 0) {
    return system_error(errno, "fsync " + log_path(active_base_offset()).string());
  }
  auto written = write_index(log_path(active_base_offset()), active_->index);
  if (written) indexed_bytes_ = active_bytes();
  return written;
}

}  // namespace pinflow::log
