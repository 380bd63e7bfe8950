// What the program says about its own work: lines on standard error, "23:06:31.123 warn  sink: …".
// Thread-safe. Never given a secret. (The record log is the room `log`; this is not it.)
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace pinflow {

enum class Severity { debug, info, warn, error };

// Below this nothing is printed; info at start.
void set_logging(Severity least);
void say(Severity severity, std::string_view line);

template <class... A>
void debug(fmt::format_string<A...> format, A&&... args) {
  say(Severity::debug, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void info(fmt::format_string<A...> format, A&&... args) {
  say(Severity::info, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void warn(fmt::format_string<A...> format, A&&... args) {
  say(Severity::warn, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void error(fmt::format_string<A...> format, A&&... args) {
  say(Severity::error, fmt::format(format, std::forward<A>(args)...));
}

}  // namespace pinflow
