// What long work says of itself: one line that is rewritten on a terminal, a plain line a step when piped.
// Used by one thread at a time. Writes to standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace pinflow::app {

class Progress {
 public:
  explicit Progress(bool quiet);  // quiet: says nothing
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::string_view doing, int64_t done, int64_t of);  // of 0: unknown; shown at most ten times a second
  void update(std::string_view doing);
  void say(std::string_view line);  // a line that stays
  void clear();

 private:
  void show(const std::string& line);

  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace pinflow::app
