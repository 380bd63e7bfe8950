#include "kafka/broker/answer_queue.h"

#include <cstdlib>

#include "base/bytes.h"

namespace pinflow::kafka {

bool AnswerQueue::wait_for_room() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] {
    return broken_ || (places_.empty() && sending_.empty()) || (bytes_ < max_bytes_ && places_.size() < max_requests_);
  });
  return !broken_;
}

uint64_t AnswerQueue::open(int64_t bytes, std::function<void()> released) {
  const std::lock_guard lock(mutex_);
  Place& place = places_.emplace_back();
  place.bytes = bytes;
  place.released.push_back(std::move(released));
  bytes_ += bytes;
  return first_ + places_.size() - 1;
}

void AnswerQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  ready_.notify_all();
}

bool AnswerQueue::empty() {
  const std::lock_guard lock(mutex_);
  return places_.empty() && sending_.empty();
}

void AnswerQueue::complete(uint64_t place, std::string frame) { finish_place(place, std::move(frame), false); }

void AnswerQueue::complete_by_closing(uint64_t place) { finish_place(place, {}, true); }

void AnswerQueue::finish_place(uint64_t place, std::string frame, bool close) {
  bool first = false;
  std::vector<Place> dropped;  // released without the lock
  {
    const std::lock_guard lock(mutex_);
    if (place < first_ || place - first_ >= places_.size() || places_[place - first_].done) std::abort();
    Place& slot = places_[place - first_];
    slot.done = true;
    slot.close = close;
    if (!broken_) {
      slot.bytes += static_cast<int64_t>(frame.size());
      bytes_ += static_cast<int64_t>(frame.size());
      slot.frame = std::move(frame);
      first = place == first_;
    }
    while (broken_ && !places_.empty() && places_.front().done) {
      dropped.push_back(std::move(places_.front()));
      places_.pop_front();
      ++first_;
    }
  }
  if (first) ready_.notify_one();
  for (auto& gone : dropped) {
    for (auto& released : gone.released) released();
  }
  if (!dropped.empty()) ready_.notify_all();
}

void AnswerQueue::also_release(uint64_t place, std::function<void()> released) {
  const std::lock_guard lock(mutex_);
  if (place < first_ || place - first_ >= places_.size() || places_[place - first_].done) std::abort();
  places_[place - first_].released.push_back(std::move(released));
}

AnswerQueue::Next AnswerQueue::wait() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [&] { return (!places_.empty() && places_.front().done) || (finished_ && places_.empty()); });
  Next next;
  while (!places_.empty() && places_.front().done && !next.close) {
    Place& place = places_.front();
    next.close = place.close;
    if (!place.frame.empty()) next.frames.push_back(std::move(place.frame));
    sending_.push_back(std::move(place));
    places_.pop_front();
    ++first_;
  }
  if (finished_ && places_.empty()) next.close = true;
  return next;
}

void AnswerQueue::sent() {
  std::vector<Place> gone;
  {
    const std::lock_guard lock(mutex_);
    gone.swap(sending_);
    for (const Place& place : gone) bytes_ -= place.bytes;
  }
  room_.notify_one();
  for (auto& place : gone) {
    for (auto& released : place.released) released();
  }
}

void AnswerQueue::break_off() {
  std::vector<Place> gone;
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    gone.swap(sending_);
    while (!places_.empty() && places_.front().done) {
      gone.push_back(std::move(places_.front()));
      places_.pop_front();
      ++first_;
    }
  }
  room_.notify_all();
  for (auto& place : gone) {
    for (auto& released : place.released) released();
  }
}

void Answer::store_size(std::string& frame) { store_big(frame.data(), static_cast<int32_t>(frame.size() - 4)); }

}  // namespace pinflow::kafka
