#include "spark/errors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "spark/statements.h"

namespace pinflow::spark {
namespace {

constexpr size_t kMaxText = 4000;  // bytes of a message that are shown

// Values of grpc::StatusCode.
enum Status {
  kCancelled = 1,
  kUnknown = 2,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

struct ClassCode {
  std::string_view part;  // of the error class
  Code code;
};

// The first that is found in the class's name.
constexpr std::array kCodes = {
    ClassCode{"INVALID_HANDLE", Code::unavailable},
    ClassCode{"INVALID_CURSOR", Code::unavailable},
    ClassCode{"OPERATION_CANCELED", Code::cancelled},
    ClassCode{"ALREADY_EXISTS", Code::already_exists},
    ClassCode{"TABLE_OR_VIEW_NOT_FOUND", Code::not_found},
    ClassCode{"PATH_NOT_FOUND", Code::not_found},
    ClassCode{"FILE_NOT_EXIST", Code::not_found},
    ClassCode{"DELTA_TABLE_NOT_FOUND", Code::not_found},
    ClassCode{"DELTA_MISSING_DELTA_TABLE", Code::not_found},
    ClassCode{"DELTA_PATH_DOES_NOT_EXIST", Code::not_found},
    ClassCode{"DELTA_CONCURRENT", Code::conflict},
    ClassCode{"DELTA_METADATA_CHANGED", Code::conflict},
    ClassCode{"DELTA_PROTOCOL_CHANGED", Code::conflict},
    ClassCode{"CONCURRENT_", Code::conflict},
    ClassCode{"INSUFFICIENT_PERMISSIONS", Code::denied},
    ClassCode{"PERMISSION_DENIED", Code::denied},
    ClassCode{"UNSUPPORTED_", Code::unsupported},
};

bool any_class(const Failure& failure, std::string_view part) {
  return std::ranges::any_of(failure.java_classes, [part](const std::string& name) { return has(name, part); });
}

std::optional<Code> code_of_status(int status) {
  switch (status) {
    case kCancelled: return Code::cancelled;
    case kDeadlineExceeded:
    case kUnavailable: return Code::unavailable;
    case kPermissionDenied:
    case kUnauthenticated: return Code::denied;
    case kUnimplemented: return Code::unsupported;
    case kResourceExhausted: return Code::full;
    default: return std::nullopt;
  }
}

// Behind some messages Spark prints the query's plan, from a line of its own on that begins with a quote or a branch.
std::string_view without_plan(std::string_view message) {
  while (!message.empty() && message.front() == '\n') message.remove_prefix(1);
  size_t line = message.find('\n');
  for (; line != std::string_view::npos; line = message.find('\n', line + 1)) {
    const std::string_view rest = message.substr(line + 1);
    if (rest.starts_with("'") || rest.starts_with("+- ") || rest.starts_with(":- ")) break;
  }
  message = message.substr(0, line);
  while (!message.empty() && (message.back() == '\n' || message.back() == ';' || message.back() == ' ')) {
    message.remove_suffix(1);
  }
  return message;
}

// "line 3, pos 7", "line 3 pos 7", "line 1, position 8": the number of the first, or of all replaced.
struct LineNumber {
  size_t at = 0;  // of its digits
  size_t length = 0;
  int line = 0;
};
std::optional<LineNumber> next_line_number(std::string_view message, size_t from) {
  for (size_t found = message.find("line ", from); found != std::string_view::npos;
       found = message.find("line ", found + 1)) {
    const char* begin = message.data() + found + 5;
    int line = 0;
    const auto [end, error] = std::from_chars(begin, message.data() + message.size(), line);
    if (error != std::errc{}) continue;
    const std::string_view after = message.substr(end - message.data());
    if (!after.starts_with(", pos") && !after.starts_with(" pos")) continue;
    return LineNumber{static_cast<size_t>(begin - message.data()), static_cast<size_t>(end - begin), line};
  }
  return std::nullopt;
}

// A line of the place's text as a line of the user's file; nothing outside of what the user wrote.
std::optional<int> user_line(const Place& place, int line) {
  const int given = place.first_line + line - 1;
  if (place.origin.file.empty() || given < place.origin.first_line) return std::nullopt;
  if (given - place.origin.first_line >= place.origin.lines) return std::nullopt;
  return given - place.origin.first_line + 1;
}

struct Found {
  const Place* place = nullptr;
  int line = 0;  // of its text
};

Found find_blamed(const Failure& failure, std::span<const Place> places) {
  for (const Blame& blame : failure.blames) {
    for (const Place& place : places) {
      if (blame.fragment.empty() || part_of(place.text, blame.first, blame.last) != blame.fragment) continue;
      return {&place, line_of(place.text, blame.first)};
    }
  }
  if (places.empty()) return {};
  const auto number = next_line_number(failure.message, 0);
  if (number) return {&places.front(), number->line};
  return {&places.front(), failure.blames.empty() ? 1 : 0};  // where the statement begins
}

std::string with_user_lines(std::string message, const Place& place) {
  for (size_t from = 0;;) {
    const auto number = next_line_number(message, from);
    if (!number) return message;
    const auto line = user_line(place, number->line);
    const std::string shown = line ? std::to_string(*line) : message.substr(number->at, number->length);
    message.replace(number->at, number->length, shown);
    from = number->at + shown.size();
  }
}

}  // namespace

bool is_lost_session(const Failure& failure) {
  return failure.error_class.starts_with("INVALID_HANDLE.SESSION_") || has(failure.message, "[INVALID_HANDLE.SESSION_");
}

bool is_passing(const Failure& failure) {
  if (failure.error_class.starts_with("INVALID_CURSOR.DISCONNECTED")) return true;
  if (!failure.error_class.empty()) return false;
  if (failure.status == kUnavailable) return true;
  if (failure.status != kInternal && failure.status != kUnknown && failure.status != kCancelled) return false;
  constexpr std::array<std::string_view, 6> kBroken = {"RST_STREAM",    "GOAWAY",           "Stream removed",
                                                       "Socket closed", "Connection reset", "unexpected EOS"};
  return std::ranges::any_of(kBroken, [&](std::string_view what) { return has(failure.message, what); });
}

Code code_of(const Failure& failure) {
  for (const auto& [part, code] : kCodes) {
    if (has(failure.error_class, part)) return code;
  }
  if (any_class(failure, "Concurrent") && any_class(failure, "delta")) return Code::conflict;
  if (any_class(failure, "AccessDenied") || any_class(failure, "AccessControl")) return Code::denied;
  if (any_class(failure, "FileNotFoundException")) return Code::not_found;
  if (has(failure.message, "No space left on device") || any_class(failure, "OutOfMemoryError")) return Code::full;
  if (!failure.error_class.empty() && failure.sql_state != "XXKDA") return Code::invalid;
  if (const auto code = code_of_status(failure.status)) return *code;
  if (failure.java_classes.empty() || any_class(failure, "IOException")) return Code::unavailable;
  // A job that was given up: an executor that died, a disk, a store that did not answer.
  if (failure.error_class.empty() && has(failure.message, "Job aborted")) return Code::unavailable;
  return Code::invalid;
}

Error error_of(const Failure& failure, std::span<const Place> places) {
  const Found found = find_blamed(failure, places);
  std::string message(without_plan(failure.message));
  if (message.empty()) message = "Spark gave no message";
  if (!failure.error_class.empty() && !has(message, failure.error_class)) {
    message = fmt::format("[{}] {}", failure.error_class, message);
  }
  if (message.size() > kMaxText) message = std::string(utf8_prefix(message, kMaxText)) + " …";
  const Code code = code_of(failure);
  if (found.place == nullptr || found.place->origin.file.empty()) return {code, std::move(message)};
  const auto line = found.line > 0 ? user_line(*found.place, found.line) : std::nullopt;
  Error error{code, with_user_lines(std::move(message), *found.place)};
  if (!line) return error.within(found.place->origin.file);
  return error.within(fmt::format("{}:{}", found.place->origin.file, *line));
}

}  // namespace pinflow::spark
