#include "kinesis/client/shard_queue.h"

#include <algorithm>

namespace pinflow::kinesis {

void ShardQueue::put(RecordBlock block, int64_t complete_ms) {
  const std::lock_guard lock(mutex_);
  Lane& lane = lanes_[block.shard];
  if (block.records.empty() && !block.ends_shard) {
    if (complete_ms == 0) return;
    if (lane.fetched.empty()) lane.complete_ms = complete_ms;
    else lane.fetched.back().complete_ms = complete_ms;
    return;
  }
  bytes_ += block.bytes;
  ++entries_;
  lane.fetched.push_back({std::move(block), 0, complete_ms});
  news_.notify_one();
}

void ShardQueue::put_failure(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  news_.notify_one();
}

void ShardQueue::set_trouble(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

size_t ShardQueue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::vector<std::string> ShardQueue::take_handed_ends() {
  const std::lock_guard lock(mutex_);
  return std::exchange(handed_ends_, {});
}

void ShardQueue::drop(const std::string& shard) {
  const std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(shard);
  if (lane != lanes_.end() && lane->second.fetched.empty()) lanes_.erase(lane);
}

void ShardQueue::set_waiting(bool waiting) {
  const std::lock_guard lock(mutex_);
  waiting_ = waiting;
}

// From the front of the shard's lane, as much as the limits still allow.
void ShardQueue::take_from(const std::string& shard, Lane& lane, const ReadLimits& limits, ReadBatch& batch) {
  while (!lane.fetched.empty()) {
    Fetched& front = lane.fetched.front();
    const size_t size = front.block.records.size();
    size_t end = front.taken;
    size_t bytes = 0;
    while (end < size && batch.records + (end - front.taken) < limits.records) {
      const ReadRecord& record = front.block.records[end];
      const size_t more = record.partition_key.size() + record.data.size();
      const bool first = batch.records == 0 && end == front.taken;
      if (!first && batch.bytes + bytes + more > limits.bytes) break;
      bytes += more;
      ++end;
    }
    if (end == front.taken && end < size) return;  // no room for another record
    const bool whole = end == size;
    RecordBlock part;
    if (whole && front.taken == 0) {
      part = std::move(front.block);
    } else {
      const auto begin = front.block.records.begin();
      part.shard = shard;
      part.owner = front.block.owner;
      part.records.assign(begin + static_cast<ptrdiff_t>(front.taken), begin + static_cast<ptrdiff_t>(end));
      part.ends_shard = whole && front.block.ends_shard;
    }
    part.bytes = bytes;
    batch.records += part.records.size();
    batch.bytes += bytes;
    bytes_ -= bytes;
    const bool ends = part.ends_shard;
    if (ends) handed_ends_.push_back(shard);
    batch.blocks.push_back(std::move(part));
    front.taken = end;
    if (!whole) return;
    if (ends) lane.complete_ms = INT64_MAX;
    else if (front.complete_ms != 0) lane.complete_ms = front.complete_ms;
    lane.fetched.pop_front();
    --entries_;
  }
}

Result<ReadBatch> ShardQueue::take(ReadLimits limits) {
  limits.records = std::max<size_t>(limits.records, 1);
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, limits.wait, [&] { return entries_ > 0 || failure_ || woken_; });
  woken_ = false;
  if (failure_) return std::unexpected(*failure_);
  ReadBatch batch;
  auto lane = lanes_.upper_bound(last_taken_);
  for (size_t i = 0; i < lanes_.size() && batch.records < limits.records; ++i, ++lane) {
    if (lane == lanes_.end()) lane = lanes_.begin();
    const size_t before = batch.blocks.size();
    take_from(lane->first, lane->second, limits, batch);
    if (batch.blocks.size() > before) last_taken_ = lane->first;
  }
  return batch;
}

void ShardQueue::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  news_.notify_one();
}

int64_t ShardQueue::complete_ms() const {
  const std::lock_guard lock(mutex_);
  if (waiting_ || lanes_.empty()) return 0;
  int64_t least = INT64_MAX;
  for (const auto& [shard, lane] : lanes_) least = std::min(least, lane.complete_ms);
  return least == INT64_MAX ? 0 : least;  // then all have ended, and their children are not yet read
}

std::map<std::string, int64_t> ShardQueue::complete_ms_by_shard() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int64_t> times;
  for (const auto& [shard, lane] : lanes_)
    if (lane.complete_ms != INT64_MAX) times[shard] = lane.complete_ms;
  return times;
}

std::string ShardQueue::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace pinflow::kinesis
