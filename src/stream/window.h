// Which rows a table has lately been given, to tell repeats by: a mark of 126 bits for each row (of its key and of all
// its columns), in the order of their coming. Rows are forgotten when they are both beyond the window's rows and older
// than its time. Pure but for memory: some 32 bytes a row. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace pinflow::stream {

struct RowMark {
  uint64_t key = 0;  // of the key column
  uint64_t row = 0;  // of all columns; equal rows have equal marks
  bool operator==(const RowMark&) const = default;
};

class Window {
 public:
  // Rows beyond this are forgotten however young they are.
  static constexpr int64_t kMostRows = 4'000'000;

  Window(int64_t rows, int64_t age_ms) : rows_(rows), age_ms_(age_ms) {}

  // False where the row is there already: a repeat. `now_ms` does not go back.
  bool add(const RowMark& mark, int64_t now_ms);
  void forget_old(int64_t now_ms);
  int64_t size() const { return static_cast<int64_t>(size_); }

 private:
  static size_t hash_of(const RowMark& mark);
  void grow();
  void remove_oldest();
  const RowMark& at(size_t age) const { return ring_[(first_ + age) & (ring_.size() - 1)]; }

  const int64_t rows_;
  const int64_t age_ms_;
  std::vector<RowMark> ring_;    // a power of two, or empty
  std::vector<uint32_t> slots_;  // twice as many: a place in the ring plus one, found by linear probing; 0: free
  size_t first_ = 0, size_ = 0;
  struct Moment {
    int64_t ms = 0;
    int64_t rows = 0;
  };
  std::deque<Moment> moments_;  // when the rows came
};

}  // namespace pinflow::stream
