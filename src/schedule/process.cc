#include "schedule/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace pinflow::schedule {
namespace {

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

}  // namespace

std::optional<Worker> process(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (pid <= 0 || !std::getline(file, line)) return {};
  // proc(5): "pid (name) state ppid …"; the name may hold anything; the start is the 22nd field, the state the 3rd.
  const size_t behind_name = line.rfind(')');
  if (behind_name == std::string::npos) return {};
  std::istringstream fields(line.substr(behind_name + 1));
  std::string field, start;
  for (int i = 3; i <= 22 && fields >> field; ++i) {
    if (i == 3 && (field == "Z" || field == "X")) return {};
    start = field;
  }
  return Worker{pid, start, boot_id()};
}

Worker this_process() { return process(::getpid()).value_or(Worker{::getpid(), "", ""}); }

std::string Worker::text() const { return fmt::format("{} {} {}", pid, start, boot); }

Worker Worker::parse(const std::string& text) {
  Worker worker;
  std::istringstream fields(text);
  fields >> worker.pid >> worker.start >> worker.boot;
  return worker;
}

bool Worker::alive() const {
  const auto now = process(pid);
  return now && now->start == start && now->boot == boot;
}

bool Worker::signal(int number, bool group) const {
  if (!alive()) return false;
  const bool leads = group && ::getpgid(pid) == pid;
  return ::kill(leads ? -pid : pid, number) == 0;
}

}  // namespace pinflow::schedule
