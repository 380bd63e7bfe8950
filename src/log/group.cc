#include "log/group.h"

#include <utility>

namespace pinflow::log {
namespace {

constexpr size_t kChunkBytes = 256 << 10;  // small batches are copied together up to this
constexpr size_t kLargeBatch = 32 << 10;   // from here on a batch is moved, not copied
constexpr size_t kPooledGroups = 8;
constexpr size_t kPooledWaiting = 16 << 10;  // answers that each keeps room for: 768 KiB

}  // namespace

void Group::put(std::string batch) {
  bytes += static_cast<int64_t>(batch.size());
  if (batch.size() >= kLargeBatch) {
    chunks.push_back(std::move(batch));
    return;
  }
  if (chunks.empty() || chunks.back().capacity() < chunks.back().size() + batch.size()) {
    chunks.emplace_back().reserve(kChunkBytes);
  }
  chunks.back().append(batch);
}

Group GroupPool::take() {
  const std::lock_guard lock(mutex_);
  if (groups_.empty()) return {};
  Group group = std::move(groups_.back());
  groups_.pop_back();
  return group;
}

void GroupPool::give_back(Group group) {
  group.waiting.clear();
  if (group.waiting.capacity() > kPooledWaiting) group.waiting.shrink_to_fit();
  std::erase_if(group.chunks, [](const auto& chunk) { return chunk.capacity() > 2 * kChunkBytes; });
  if (group.chunks.size() > 1) group.chunks.resize(1);
  if (!group.chunks.empty()) group.chunks.front().clear();
  group.new_segment = false;
  group.bytes = 0;
  const std::lock_guard lock(mutex_);
  if (groups_.size() < kPooledGroups) groups_.push_back(std::move(group));
}

}  // namespace pinflow::log
