// Which post comes next, and after which pause. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "emulate/python_random.h"

namespace pinflow::emulate {

struct Draw {
  int64_t row = 0;  // 0 to rows - 1
  int pause_s = 0;  // before it, with the course's pauses: 0 or 1
};

// The course's loop: random.seed(seed), then in each turn random.randrange(0, 2) for the pause and
// random.randint(0, min(11000, rows - 1)) for the row; `posts` turns, or without end. With `all` every row once, in
// order (the pauses are drawn likewise).
class Draws {
 public:
  static constexpr int64_t kLastRow = 11'000;

  Draws(int64_t rows, int64_t seed, std::optional<int64_t> posts, bool all)
      : rows_(rows), left_(all ? rows : posts.value_or(INT64_MAX)), all_(all), random_(seed) {}

  std::optional<Draw> next() {
    if (left_ == 0 || rows_ == 0) return std::nullopt;
    --left_;
    Draw draw;
    draw.pause_s = static_cast<int>(random_.range(0, 2));
    draw.row = all_ ? rows_ - 1 - left_ : random_.integer(0, std::min(kLastRow, rows_ - 1));
    return draw;
  }

 private:
  int64_t rows_;
  int64_t left_;
  bool all_;
  PythonRandom random_;
};

}  // namespace pinflow::emulate
