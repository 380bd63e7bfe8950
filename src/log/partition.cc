#include "log/partition.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/logging.h"
#include "log/batch_reader.h"
#include "log/producer_files.h"

namespace pinflow::log {
namespace {

constexpr size_t kLeaderEpochAt = 12;

}  // namespace

void Shared::grown() {
  {
    const std::lock_guard lock(growth_mutex);
    growth.fetch_add(1, std::memory_order_release);
  }
  growth_changed.notify_all();
}

Result<std::shared_ptr<Partition>> Partition::open(std::string name, std::unique_ptr<PartitionFiles> files,
                                                   int64_t segment_bytes, Shared& shared) {
  auto producers = load_producers(*files, now_ms());
  if (!producers) return pass(producers.error());
  return std::shared_ptr<Partition>(
      new Partition(std::move(name), std::move(files), segment_bytes, std::move(*producers), shared));
}

Partition::Partition(std::string name, std::unique_ptr<PartitionFiles> files, int64_t segment_bytes,
                     ProducerState producers, Shared& shared)
    : name_(std::move(name)),
      shared_(shared),
      files_(std::move(files)),
      segment_bytes_(segment_bytes),
      durable_producers_(std::move(producers)),
      producers_(durable_producers_),
      next_offset_(files_->end()),
      segment_base_(files_->active_base_offset()),
      segment_fill_(files_->active_bytes()) {}

Result<> Partition::append(const BatchHeader& given, std::string batch, Log::Done& done) {
  const auto bytes = static_cast<int64_t>(batch.size());
  std::unique_lock lock(mutex_);
  if (stopped_) return pass(*stopped_);
  std::optional<ProducedBatch> repeated;
  if (given.producer_id >= 0) {
    auto checked = producers_.check(given);
    if (!checked) return pass(checked.error(), "{}", name_);
    repeated = *checked;
  }
  if (repeated) {
    // Answered behind the group that it may still be in, so that it is acknowledged when it is on the disk.
    if (pending_.empty()) group_for(0, 0);
    pending_.back().waiting.push_back({std::move(done), {repeated->base_offset, repeated->append_time_ms}});
  } else {
    const int64_t before = shared_.pending_bytes.fetch_add(bytes, std::memory_order_relaxed);
    if (before > 0 && before + bytes > shared_.options.pending_bytes) {
      shared_.pending_bytes.fetch_sub(bytes, std::memory_order_relaxed);
      return pinflow::fail(Code::full, "{}: {} bytes wait for the disk already (at most {}); send slower, or retry",
                           name_, before, shared_.options.pending_bytes);
    }
    BatchHeader header = given;
    header.base_offset = next_offset_;
    const int64_t time = now_ms();
    if (header.producer_id >= 0) producers_.add(header, time);
    Group& group = group_for(bytes, header.last_offset_delta);
    const bool is_first = group.bytes == 0 && shared_.options.fsync;
    set_base_offset(batch, header.base_offset);
    store_big(batch.data() + kLeaderEpochAt, is_first ? kAfterSync : int32_t{0});
    group.put(std::move(batch));
    group.waiting.push_back({std::move(done), {header.base_offset, time}});
    next_offset_ = header.last_offset() + 1;
  }
  if (std::exchange(queued_, true)) return {};
  lock.unlock();
  shared_.committer.enqueue(shared_from_this());
  return {};
}

// The group that a batch of so many bytes goes to: the last, or another where it needs a new segment.
Group& Partition::group_for(int64_t bytes, int64_t last_offset_delta) {
  const bool is_over =
      segment_fill_ > 0 && (segment_fill_ + bytes > segment_bytes_.load(std::memory_order_relaxed) ||
                            next_offset_ + last_offset_delta - segment_base_ > std::numeric_limits<int32_t>::max());
  if (pending_.empty() || (is_over && bytes > 0)) {
    pending_.push_back(shared_.groups.take());
    pending_.back().new_segment = is_over && bytes > 0;
    if (pending_.back().new_segment) {
      segment_fill_ = 0;
      segment_base_ = next_offset_;
    }
  }
  segment_fill_ += bytes;
  return pending_.back();
}

bool Partition::commit() {
  Group group;
  {
    const std::lock_guard lock(mutex_);
    if (!pending_.empty()) {
      group = std::move(pending_.front());
      pending_.pop_front();
    }
  }
  Result<> written;
  if (group.bytes > 0) {
    if (group.new_segment) {
      durable_producers_.forget_unused(now_ms());
      if (auto saved = save_producers(files_->folder(), durable_producers_, files_->end()); !saved) {
        warn("log: {}; the next open will take longer", saved.error().message);
      }
    }
    written = files_->append(group.chunks, group.new_segment, [&](const BatchHeader& batch) {
      if (batch.producer_id >= 0) {
        durable_producers_.add(batch, group.waiting.empty() ? now_ms() : group.waiting.front().appended.append_time_ms);
      }
    });
    if (written) shared_.grown();
    if (written && std::exchange(failing_, false)) info("log: {}: appends are stored again", name_);
  }
  if (written) answer(std::move(group));
  else fail(std::move(group), written.error());

  const std::lock_guard lock(mutex_);
  if (!pending_.empty()) return true;
  queued_ = false;
  idle_.notify_all();
  return false;
}

void Partition::answer(Group group) {
  shared_.pending_bytes.fetch_sub(group.bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(shared_.answering);
    for (auto& waiting : group.waiting) {
      waiting.done(waiting.appended);
      waiting.done = nullptr;
    }
  }
  shared_.groups.give_back(std::move(group));
}

// The groups after a failed one fail as well: their offsets follow its own.
void Partition::fail(Group group, const Error& error) {
  // One line, not one for each group that a full disk refuses.
  if (!std::exchange(failing_, true)) warn("log: {}: appends cannot be stored: {}", name_, error.message);
  const Code code = error.code == Code::full ? Code::full : Code::unavailable;
  std::deque<Group> failed;
  {
    const std::lock_guard lock(mutex_);
    failed = std::exchange(pending_, {});
    producers_.roll_back_to(durable_producers_);
    next_offset_ = files_->end();
    segment_base_ = files_->active_base_offset();
    segment_fill_ = files_->active_bytes();
  }
  failed.push_front(std::move(group));
  refuse(std::move(failed), {code, fmt::format("{}: {}", name_, error.message)});
}

void Partition::refuse(std::deque<Group> groups, const Error& error) {
  const std::lock_guard lock(shared_.answering);
  for (auto& group : groups) {
    shared_.pending_bytes.fetch_sub(group.bytes, std::memory_order_relaxed);
    for (auto& waiting : group.waiting) waiting.done(std::unexpected(error));
  }
}

void Partition::stop(const Error& why, bool at_once) {
  std::deque<Group> given_up;
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) stopped_ = why;
    if (at_once) given_up = std::exchange(pending_, {});
  }
  refuse(std::move(given_up), why);
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return !queued_; });
}

void Partition::close() {
  if (auto closed = files_->close(); !closed) {
    warn("log: {}: {}; the next open will take longer", name_, closed.error().message);
    return;
  }
  durable_producers_.forget_unused(now_ms());
  if (auto saved = save_producers(files_->folder(), durable_producers_, files_->end()); !saved) {
    warn("log: {}; the next open will take longer", saved.error().message);
  }
}

}  // namespace pinflow::log
