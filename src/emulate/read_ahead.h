// Reads the drawn posts ahead of the posting, on threads of its own, and hands them out in the order of the draws.
// Bounded: at most `capacity` posts are read and not yet taken.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "emulate/draws.h"
#include "emulate/rows.h"

namespace pinflow::emulate {

struct Post {
  Draw draw;
  std::vector<std::string> records;  // JSON objects, by record type; empty: the source lacks it
};

class ReadAhead {
 public:
  // Begins at once. `rows` outlives it.
  ReadAhead(RowSource& rows, Draws draws, int readers, size_t capacity);
  ~ReadAhead();  // waits for the reads under way
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The next post, where it has been read already. One thread takes.
  std::optional<Post> take();
  // Waits until `take` would give one, or all is over, or for `at_most`.
  void wait(std::chrono::milliseconds at_most);
  // Nothing more will come: all were taken, or reading has failed for good.
  bool over();
  std::optional<Error> failure();

 private:
  void read();
  bool over_locked() const {
    return next_ == drawn_ ? exhausted_ || failure_ : failure_ && !ring_[next_ % ring_.size()];
  }

  RowSource& rows_;
  std::mutex mutex_;  // guards all below
  std::condition_variable room_, news_;
  Draws draws_;
  std::vector<std::optional<Post>> ring_;  // draw number n lies at n mod size
  uint64_t drawn_ = 0;                     // how many were drawn
  uint64_t next_ = 0;                      // the one to be taken next
  bool exhausted_ = false;
  bool stopping_ = false;
  std::optional<Error> failure_;
  std::vector<std::thread> threads_;
};

}  // namespace pinflow::emulate
