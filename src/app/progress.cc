#include "app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "app/counts.h"

namespace pinflow::app {

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || !terminal_ || (shown_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  shown_ = true;
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
}

void Progress::update(std::string_view doing, int64_t done, int64_t of) {
  if (of > 0) show(fmt::format("{}  {} of {}  {}%", doing, grouped(done), grouped(of), done * 100 / of));
  else show(fmt::format("{}  {}", doing, grouped(done)));
}

void Progress::update(std::string_view doing) { show(std::string(doing)); }

void Progress::say(std::string_view line) {
  if (quiet_) return;
  clear();
  fmt::print(stderr, "{}\n", line);
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace pinflow::app
