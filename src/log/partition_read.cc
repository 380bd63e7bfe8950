// How a partition's files are read: by offset, by time, and all headers in order.
#include <algorithm>

#include "base/bytes.h"
#include "log/batch_reader.h"
#include "log/partition_files.h"

namespace pinflow::log {
namespace {

constexpr size_t kLeaderEpochAt = 12;

// Of `bytes`, which begin with a whole batch: how many are whole batches. Each is checked, and given leader epoch 0.
Result<size_t> clean_batches(std::string& bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const size_t at = bytes.size() - rest.size();
    if (rest.size() < kBatchHeaderBytes) return at;
    const auto header = read_batch_header(rest);
    if (header && static_cast<uint64_t>(header->bytes()) > rest.size()) return at;
    if (auto checked = check_batch(rest); !checked) return corrupt("{} bytes on: {}", at, checked.error().message);
    store_big(bytes.data() + at + kLeaderEpochAt, int32_t{0});
    rest.remove_prefix(static_cast<size_t>(header->bytes()));
  }
  return bytes.size();
}

}  // namespace

Result<PartitionFiles::Place> PartitionFiles::find(int64_t offset) {
  std::shared_ptr<const Segment> segment;
  {
    const std::lock_guard lock(mutex_);
    if (offset < start() || offset > end()) {
      return invalid("offset {} is out of range: the partition has {} to {}", offset, start(), end());
    }
    const auto& active = active_->index;
    if (offset >= active.summary().base_offset) {
      return Place{active_, active.position_of(offset), active.summary().bytes};
    }
    segment = *std::ranges::upper_bound(closed_, offset, {}, [](const auto& s) { return s->summary.end_offset; });
  }
  auto open = cache_.get(segment);
  if (!open && offset < start()) return invalid("offset {} was deleted meanwhile", offset);
  if (!open) return pass(open.error());
  return Place{*open, (*open)->index.position_of(offset), segment->summary.bytes};
}

Result<std::string> PartitionFiles::read(int64_t offset, int64_t max_bytes) {
  auto place = find(offset);
  if (!place) return pass(place.error());
  const int fd = place->segment->fd.get();
  const auto in_file = [&](const Error& error, int64_t position) {
    return pass(error, "{}, position {}", log_path(place->segment->index.summary().base_offset).string(), position);
  };
  BatchReader reader(fd, place->position, place->limit, BatchReader::Reads::headers);
  for (;;) {
    auto batch = reader.next();
    if (!batch) return in_file(batch.error(), reader.position());
    if (!*batch) return std::string();  // the end
    if ((*batch)->last_offset() >= offset) break;
  }
  const int64_t position = reader.position();
  const int64_t wanted = std::min(std::max(max_bytes, reader.end() - position), place->limit - position);
  std::string bytes;
  if (auto read = read_exactly(fd, position, wanted, bytes); !read) return in_file(read.error(), position);
  auto whole = clean_batches(bytes);
  if (!whole) return in_file(whole.error(), position);
  bytes.resize(*whole);
  return bytes;
}

Result<TimedOffset> PartitionFiles::offset_for_time(int64_t timestamp_ms) {
  std::vector<std::shared_ptr<const Segment>> segments;
  Place active;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& segment : closed_) {
      if (segment->summary.max_timestamp >= timestamp_ms) segments.push_back(segment);
    }
    active = {active_, active_->index.position_of_time(timestamp_ms), active_->index.summary().bytes};
  }
  for (const auto& segment : segments) {
    auto open = cache_.get(segment);
    if (!open && segment->summary.end_offset <= start()) continue;  // deleted meanwhile
    if (!open) return pass(open.error());
    const Place place{*open, (*open)->index.position_of_time(timestamp_ms), segment->summary.bytes};
    auto found = first_since(place, timestamp_ms);
    if (!found) return pass(found.error(), "{}", segment->path.string());
    if (*found) return **found;
  }
  auto found = first_since(active, timestamp_ms);
  if (!found) return pass(found.error(), "{}", folder_.string());
  return found->value_or(TimedOffset{});
}

// The records of a compressed batch (or of one whose producer wrote them wrongly) cannot be seen here: of one that has
// such a record its first offset is given, so that nothing is missed by whoever begins there.
Result<std::optional<TimedOffset>> PartitionFiles::first_since(const Place& place, int64_t timestamp_ms) const {
  const int fd = place.segment->fd.get();
  BatchReader reader(fd, place.position, place.limit, BatchReader::Reads::headers);
  for (;;) {
    auto next = reader.next();
    if (!next) return pass(next.error());
    if (!*next) return std::nullopt;
    const BatchHeader& batch = **next;
    if (batch.max_timestamp < timestamp_ms || batch.last_offset() < start()) continue;
    std::string bytes;
    if (auto read = read_exactly(fd, reader.position(), batch.bytes(), bytes); !read) return pass(read.error());
    const auto records = read_records(bytes);
    if (!records) {
      const int64_t time = batch.base_timestamp >= timestamp_ms ? batch.base_timestamp : batch.max_timestamp;
      return TimedOffset{std::max(batch.base_offset, start()), time};
    }
    for (const auto& record : *records) {
      if (record.timestamp_ms >= timestamp_ms && record.offset >= start()) {
        return TimedOffset{record.offset, record.timestamp_ms};
      }
    }
  }
}

Result<> PartitionFiles::replay(int64_t offset, const OnBatch& on_batch) {
  for (int64_t next = std::max(offset, start()); next < end();) {
    auto place = find(next);
    if (!place) return pass(place.error());
    BatchReader reader(place->segment->fd.get(), place->position, place->limit, BatchReader::Reads::headers);
    for (;;) {
      auto batch = reader.next();
      if (!batch) return pass(batch.error(), "{}", folder_.string());
      if (!*batch) break;
      if ((*batch)->last_offset() < next) continue;
      on_batch(**batch);
      next = (*batch)->last_offset() + 1;
    }
  }
  return {};
}

}  // namespace pinflow::log
