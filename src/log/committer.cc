#include "log/committer.h"

namespace pinflow::log {

Committer::Committer(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

void Committer::enqueue(std::shared_ptr<Committable> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  has_work_.notify_one();
}

void Committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  has_work_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const bool has_more = work->commit();
    lock.lock();
    if (has_more) queue_.push_back(std::move(work));
    else work.reset();
  }
}

}  // namespace pinflow::log
