// The keys of the source's posts, in order, as runs of successive whole numbers: one run for tables without gaps.
// Built by one thread; then read by any number. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace pinflow::source {

class KeyRuns {
 public:
  // `key` is not below the last one; a repeat of the last one is not counted again.
  void add(int64_t key);
  int64_t size() const { return size_; }
  // The n-th key; n is 0 to size() - 1.
  int64_t at(int64_t n) const;
  // The keys that `a` or `b` holds.
  static KeyRuns either(const KeyRuns& a, const KeyRuns& b);

 private:
  struct Run {
    int64_t first;     // key
    int64_t position;  // of that key: how many keys come before
  };
  void add_run(int64_t first, int64_t last);
  int64_t last_of(size_t run) const;

  std::vector<Run> runs_;
  int64_t size_ = 0;
};

}  // namespace pinflow::source
