#include "stream/window.h"

namespace pinflow::stream {

size_t Window::hash_of(const RowMark& mark) {
  uint64_t mixed = mark.row ^ (mark.key * 0x9E3779B97F4A7C15u);
  mixed ^= mixed >> 32;
  return static_cast<size_t>(mixed * 0xD6E8FEB86659FD93u) >> 16;
}

void Window::grow() {
  const size_t capacity = ring_.empty() ? 1024 : ring_.size() * 2;
  std::vector<RowMark> ring(capacity);
  for (size_t i = 0; i < size_; ++i) ring[i] = at(i);
  ring_ = std::move(ring);
  first_ = 0;
  slots_.assign(capacity * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < size_; ++i) {
    size_t slot = hash_of(ring_[i]) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

bool Window::add(const RowMark& mark, int64_t now_ms) {
  if (size_ == ring_.size()) grow();
  const size_t mask = slots_.size() - 1;
  size_t slot = hash_of(mark) & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (ring_[slots_[slot] - 1] == mark) return false;
  }
  const size_t place = (first_ + size_) & (ring_.size() - 1);
  ring_[place] = mark;
  slots_[slot] = static_cast<uint32_t>(place + 1);
  ++size_;
  if (moments_.empty() || moments_.back().ms != now_ms) moments_.push_back({now_ms, 0});
  ++moments_.back().rows;
  if (size() > kMostRows) remove_oldest();
  return true;
}

void Window::remove_oldest() {
  const size_t mask = slots_.size() - 1;
  const auto wanted = static_cast<uint32_t>(first_ + 1);
  size_t hole = hash_of(ring_[first_]) & mask;
  while (slots_[hole] != wanted) hole = (hole + 1) & mask;
  // What stands behind the hole and was pushed there by it moves up, so that no search ends too early.
  for (size_t next = (hole + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    const size_t home = hash_of(ring_[slots_[next] - 1]) & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = 0;
  first_ = (first_ + 1) & (ring_.size() - 1);
  --size_;
  if (--moments_.front().rows == 0) moments_.pop_front();
}

void Window::forget_old(int64_t now_ms) {
  while (size() > rows_ && moments_.front().ms < now_ms - age_ms_) remove_oldest();
}

}  // namespace pinflow::stream
