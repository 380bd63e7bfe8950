// Objects that will be read one after the other, fetched ahead of their reader where a fetch takes its time (S3). Where
// it takes none (a directory), nothing is done ahead. Owned by who reads; the store outlives it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::object {

class Prefetch {
 public:
  struct Wanted {
    std::string name;
    int64_t size = 0;  // bytes, as far as known
  };
  // What is fetched and not yet taken, on its way or on this machine's disk: so much, and so many. A larger object is
  // fetched by who takes it.
  static constexpr int64_t kMostBytes = 64 << 20;
  static constexpr size_t kMostObjects = 64;

  // Fetches in this order, Store::fetches_at_once() at a time, until all are taken or this goes.
  Prefetch(Store& store, std::vector<Wanted> wanted);
  ~Prefetch();  // waits for the fetches under way
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  // The object at this place, as by Store::fetch; waits. Any thread, each place once, best about in their order.
  Result<LocalFile> take(size_t place);

 private:
  enum class Progress : uint8_t { untouched, under_way, done, taken };

  void work();
  // The next place to be fetched ahead, or the end where all were begun. Called with the lock held.
  size_t next_place();
  bool has_room(size_t place) const;

  Store& store_;
  const std::vector<Wanted> wanted_;
  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::vector<Progress> progress_;
  std::map<size_t, Result<LocalFile>> done_;  // not yet taken
  size_t next_ = 0;
  size_t objects_ahead_ = 0;
  int64_t bytes_ahead_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// All of them, in their order; or the first error.
Result<std::vector<LocalFile>> fetch_all(Store& store, std::vector<Prefetch::Wanted> wanted);

}  // namespace pinflow::object
