#include "object/prefetch.h"

#include <algorithm>
#include <utility>

namespace pinflow::object {

Prefetch::Prefetch(Store& store, std::vector<Wanted> wanted)
    : store_(store), wanted_(std::move(wanted)), progress_(wanted_.size(), Progress::untouched) {
  const size_t at_once = std::min(store.fetches_at_once(), wanted_.size());
  if (at_once < 2) return;
  for (size_t i = 0; i < at_once; ++i) threads_.emplace_back([this] { work(); });
}

Prefetch::~Prefetch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Result<LocalFile> Prefetch::take(size_t place) {
  std::unique_lock lock(mutex_);
  if (progress_[place] == Progress::untouched) {
    progress_[place] = Progress::taken;
    lock.unlock();
    return store_.fetch(wanted_[place].name);
  }
  changed_.wait(lock, [&] { return progress_[place] == Progress::done; });
  progress_[place] = Progress::taken;
  auto file = std::move(done_.extract(place).mapped());
  --objects_ahead_;
  bytes_ahead_ -= wanted_[place].size;
  lock.unlock();
  changed_.notify_all();
  return file;
}

size_t Prefetch::next_place() {
  while (next_ < wanted_.size() && (progress_[next_] != Progress::untouched || wanted_[next_].size > kMostBytes))
    ++next_;
  return next_;
}

bool Prefetch::has_room(size_t place) const {
  return objects_ahead_ < kMostObjects && bytes_ahead_ + wanted_[place].size <= kMostBytes;
}

void Prefetch::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    size_t place = 0;
    changed_.wait(lock, [&] {
      place = next_place();
      return stopping_ || place == wanted_.size() || has_room(place);
    });
    if (stopping_ || place == wanted_.size()) return;
    progress_[place] = Progress::under_way;
    ++objects_ahead_;
    bytes_ahead_ += wanted_[place].size;
    lock.unlock();
    auto file = store_.fetch(wanted_[place].name);
    lock.lock();
    done_.emplace(place, std::move(file));
    progress_[place] = Progress::done;
    changed_.notify_all();
  }
}

Result<std::vector<LocalFile>> fetch_all(Store& store, std::vector<Prefetch::Wanted> wanted) {
  const size_t count = wanted.size();
  Prefetch ahead(store, std::move(wanted));
  std::vector<LocalFile> files;
  files.reserve(count);
  for (size_t place = 0; place < count; ++place) {
    auto file = ahead.take(place);
    if (!file) return pass(file.error());
    files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace pinflow::object
