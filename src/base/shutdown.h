// SIGINT and SIGTERM as one flag that everything long-running looks at. Installed once, by main.
#pragma once

#include <chrono>

namespace pinflow {

// Catches SIGINT and SIGTERM (the first asks to drain, a third one of either kind ends the process at once)
// and ignores SIGPIPE.
void catch_stop_signals();

bool stop_requested();
void request_stop();

// Sleeps until the time is over or a stop is asked for; true when a stop is asked for.
bool wait_for_stop(std::chrono::milliseconds at_most);

}  // namespace pinflow
