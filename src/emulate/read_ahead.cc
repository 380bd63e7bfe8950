#include "emulate/read_ahead.h"

#include <algorithm>

namespace pinflow::emulate {
namespace {

constexpr int kReadTries = 6;                          // of a post, while the source is unavailable
constexpr std::chrono::milliseconds kFirstPause{100};  // between tries, doubled each time

}  // namespace

ReadAhead::ReadAhead(RowSource& rows, Draws draws, int readers, size_t capacity)
    : rows_(rows), draws_(std::move(draws)), ring_(capacity) {
  for (int i = 0; i < readers; ++i) threads_.emplace_back([this] { read(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ReadAhead::read() {
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(lock, [&] { return stopping_ || failure_ || exhausted_ || drawn_ - next_ < ring_.size(); });
    if (stopping_ || failure_ || exhausted_) return;
    const auto draw = draws_.next();
    if (!draw) {
      exhausted_ = true;
      news_.notify_all();
      room_.notify_all();
      return;
    }
    const uint64_t number = drawn_++;
    lock.unlock();
    auto records = rows_.post(draw->row);
    for (int tries = 1; !records && records.error().code == Code::unavailable && tries < kReadTries; ++tries) {
      lock.lock();
      room_.wait_for(lock, kFirstPause * (1 << tries), [&] { return stopping_; });
      if (stopping_) return;
      lock.unlock();
      records = rows_.post(draw->row);
    }
    lock.lock();
    if (records) {
      ring_[number % ring_.size()] = Post{*draw, std::move(*records)};
    } else if (!failure_) {
      failure_ = records.error().within(fmt::format("reading post {} of the source", draw->row));
      room_.notify_all();
    }
    if (number == next_ || failure_) news_.notify_all();
  }
}

std::optional<Post> ReadAhead::take() {
  const std::lock_guard lock(mutex_);
  auto& slot = ring_[next_ % ring_.size()];
  if (next_ == drawn_ || !slot) return std::nullopt;
  std::optional<Post> post = std::move(slot);
  slot.reset();
  ++next_;
  if (drawn_ - next_ <= ring_.size() / 2) room_.notify_all();  // not at each: the readers wake less often
  return post;
}

void ReadAhead::wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, at_most, [&] { return over_locked() || (next_ < drawn_ && ring_[next_ % ring_.size()]); });
}

bool ReadAhead::over() {
  const std::lock_guard lock(mutex_);
  return over_locked();
}

std::optional<Error> ReadAhead::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace pinflow::emulate
