// Errors as values. Every call that can fail for a reason outside the program returns Result<T>;
// a bug (a broken promise inside the program) crashes. The code says what a caller can do about it,
// the message says what happened, where, and what the user should do.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace pinflow {

enum class Code {
  invalid,         // the input is wrong: mend it
  not_found,       // it is not there
  already_exists,  // it is there already: put-if-absent lost, or a duplicate name
  conflict,        // somebody else changed it meanwhile: read again and retry
  unavailable,     // a passing fault (network, time-out, busy): retry later
  full,            // a named limit or the disk is reached: free room, then retry
  denied,          // credentials or permissions
  corrupt,         // stored bytes do not check: never repaired silently
  unsupported,     // valid, but not something this program does
  cancelled,       // the program is stopping
};

std::string_view name_of(Code code);

struct Error {
  Code code = Code::invalid;
  std::string message;

  // The same error with "context: " before its message.
  Error within(std::string_view context) const { return {code, fmt::format("{}: {}", context, message)}; }
};

template <class T = void>
using Result = std::expected<T, Error>;

template <class... A>
std::unexpected<Error> fail(Code code, fmt::format_string<A...> format, A&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
std::unexpected<Error> invalid(fmt::format_string<A...> format, A&&... args) {
  return fail(Code::invalid, format, std::forward<A>(args)...);
}
template <class... A>
std::unexpected<Error> not_found(fmt::format_string<A...> format, A&&... args) {
  return fail(Code::not_found, format, std::forward<A>(args)...);
}
template <class... A>
std::unexpected<Error> corrupt(fmt::format_string<A...> format, A&&... args) {
  return fail(Code::corrupt, format, std::forward<A>(args)...);
}
template <class... A>
std::unexpected<Error> unavailable(fmt::format_string<A...> format, A&&... args) {
  return fail(Code::unavailable, format, std::forward<A>(args)...);
}
template <class... A>
std::unexpected<Error> unsupported(fmt::format_string<A...> format, A&&... args) {
  return fail(Code::unsupported, format, std::forward<A>(args)...);
}

// Hands an error on, with what was being done before it: return pass(r.error(), "reading {}", path);
inline std::unexpected<Error> pass(const Error& error) { return std::unexpected(error); }
template <class... A>
std::unexpected<Error> pass(const Error& error, fmt::format_string<A...> format, A&&... args) {
  return std::unexpected(error.within(fmt::format(format, std::forward<A>(args)...)));
}

// The error of the system call that just failed, by errno: "open /x/y: No space left on device".
// ENOSPC and EDQUOT become full, ENOENT not_found, EEXIST already_exists, EACCES and EPERM denied.
std::unexpected<Error> system_error(int error_number, std::string_view what);

}  // namespace pinflow
