// A child process in a process group of its own, its output in a file: what the scheduler runs a run in. A child can
// be ended whatever it does, its faults are not the scheduler's, and its end is told by the kernel.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "schedule/process.h"

namespace pinflow::schedule {

class Child {
 public:
  // Its standard input is empty. `environment` is added to this process's.
  static Result<Child> start(const std::vector<std::string>& command,
                             const std::vector<std::pair<std::string, std::string>>& environment,
                             const std::filesystem::path& output);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&&) = delete;
  ~Child();  // kills the group where it still runs

  pid_t pid() const { return pid_; }
  // How it ended: "status 1", "signal 9"; nothing while it runs. Empty: well.
  std::optional<std::string> ended();
  void signal(int number);  // the whole group

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;
};

// The last lines of a file, at most so many bytes; empty where there is none.
std::string tail_of(const std::filesystem::path& file, size_t bytes);

}  // namespace pinflow::schedule
