#include "source/keys.h"

#include <algorithm>
#include <cassert>

namespace pinflow::source {

int64_t KeyRuns::last_of(size_t run) const {
  const int64_t end = run + 1 < runs_.size() ? runs_[run + 1].position : size_;
  return runs_[run].first + (end - runs_[run].position) - 1;
}

void KeyRuns::add(int64_t key) { add_run(key, key); }

void KeyRuns::add_run(int64_t first, int64_t last) {
  if (!runs_.empty()) {
    const int64_t before = last_of(runs_.size() - 1);
    if (last <= before) return;
    if (first <= before) first = before + 1;
    if (first == before + 1) {
      size_ += last - before;
      return;
    }
  }
  runs_.push_back({first, size_});
  size_ += last - first + 1;
}

int64_t KeyRuns::at(int64_t n) const {
  assert(n >= 0 && n < size_);
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), n, [](int64_t i, const Run& run) { return i < run.position; });
  const Run& run = *(after - 1);
  return run.first + (n - run.position);
}

KeyRuns KeyRuns::either(const KeyRuns& a, const KeyRuns& b) {
  KeyRuns both;
  for (size_t i = 0, j = 0; i < a.runs_.size() || j < b.runs_.size();) {
    const bool from_a = j >= b.runs_.size() || (i < a.runs_.size() && a.runs_[i].first <= b.runs_[j].first);
    const KeyRuns& from = from_a ? a : b;
    size_t& run = from_a ? i : j;
    both.add_run(from.runs_[run].first, from.last_of(run));
    ++run;
  }
  return both;
}

}  // namespace pinflow::source
