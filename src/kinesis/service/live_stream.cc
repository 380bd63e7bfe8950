#include "kinesis/service/live_stream.h"

#include <utility>

namespace pinflow::kinesis {

LiveStream::LiveStream(Stream stream)
    : topic(stream.id),
      state_(std::make_shared<const StreamState>(std::move(stream))),
      rates_(state_->stream.shards.size()) {}

StatePtr LiveStream::now() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

LiveStream::Entered LiveStream::enter(std::shared_ptr<PutJob> job) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return Entered::deleted;
    if (changing_) {
      if (kept_.size() >= kMaxKept) return Entered::busy;
      kept_.push_back(std::move(job));
      return Entered::yes;
    }
    ++within_;
    job->choose(*state_, rates_);
  }
  job->go();
  return Entered::yes;
}

void LiveStream::leave() {
  const std::lock_guard lock(mutex_);
  if (--within_ == 0) left_.notify_all();
}

Answer<> LiveStream::change(const std::function<Answer<Stream>(const Stream&)>& next) {
  std::unique_lock lock(mutex_);
  if (ended_) return resource_not_found("Stream {} not found.", state_->stream.name);
  changing_ = true;
  left_.wait(lock, [this] { return within_ == 0; });
  const StatePtr before = state_;
  lock.unlock();
  auto after = next(before->stream);
  StatePtr made = after ? std::make_shared<const StreamState>(std::move(*after)) : before;
  lock.lock();
  state_ = std::move(made);
  rates_.resize(state_->stream.shards.size());
  changing_ = false;
  const auto kept = std::exchange(kept_, {});
  for (const auto& job : kept) {
    ++within_;
    job->choose(*state_, rates_);
  }
  lock.unlock();
  for (const auto& job : kept) job->go();
  if (!after) return Refused(after.error());
  return {};
}

void LiveStream::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

bool LiveStream::may_read(int32_t shard, int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  return rates_[static_cast<size_t>(shard)].may_read(now_ms);
}

void LiveStream::has_read(int32_t shard, size_t bytes) {
  const std::lock_guard lock(mutex_);
  rates_[static_cast<size_t>(shard)].read(bytes);
}

}  // namespace pinflow::kinesis
