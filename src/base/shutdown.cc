#include "base/shutdown.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

namespace pinflow {
namespace {

// The only globals of the program: a signal handler can reach nothing else.
std::atomic<int> stops{0};
int wake[2] = {-1, -1};  // a pipe that becomes readable, for good, at the first stop

void on_signal(int) {
  if (stops.fetch_add(1) == 0) {
    const char byte = 1;
    [[maybe_unused]] const ssize_t put = ::write(wake[1], &byte, 1);
  } else if (stops.load() >= 3) {
    ::_exit(130);
  }
}

void make_pipe() {
  static const bool made = [] { return ::pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0; }();
  (void)made;
}

}  // namespace

void catch_stop_signals() {
  make_pipe();
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return stops.load() > 0; }

void request_stop() {
  make_pipe();
  on_signal(0);
}

bool wait_for_stop(std::chrono::milliseconds at_most) {
  make_pipe();
  if (stop_requested()) return true;
  pollfd waiting{wake[0], POLLIN, 0};
  ::poll(&waiting, 1, static_cast<int>(at_most.count()));
  return stop_requested();
}

}  // namespace pinflow
