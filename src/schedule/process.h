// Which process did something, in a way that a later process with the same number is not taken for it. Linux's /proc.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace pinflow::schedule {

struct Worker {
  pid_t pid = 0;
  std::string start;  // when it began, in ticks since boot
  std::string boot;   // the boot's id

  std::string text() const;  // "1234 56789 3d3c…", as it is stored
  static Worker parse(const std::string& text);
  bool alive() const;  // the same process still runs (a zombie does not)
  // Sends a signal, to its whole process group where it leads one and `group`; false where it is gone.
  bool signal(int number, bool group) const;
};

Worker this_process();
// Nothing where there is no such process.
std::optional<Worker> process(pid_t pid);

}  // namespace pinflow::schedule
