// An operation's failure as Kinesis words it on the wire: {"__type":"ResourceNotFoundException","message":"…"}. Pure.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

namespace pinflow::kinesis {

struct ApiError {
  int status = 400;
  std::string type;
  std::string message;
};

template <class T = void>
using Answer = std::expected<T, ApiError>;
using Refused = std::unexpected<ApiError>;

template <class... A>
Refused invalid_argument(fmt::format_string<A...> format, A&&... args) {
  return Refused({400, "InvalidArgumentException", fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
Refused validation(fmt::format_string<A...> format, A&&... args) {
  return Refused({400, "ValidationException", fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
Refused resource_not_found(fmt::format_string<A...> format, A&&... args) {
  return Refused({400, "ResourceNotFoundException", fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
Refused resource_in_use(fmt::format_string<A...> format, A&&... args) {
  return Refused({400, "ResourceInUseException", fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
Refused limit_exceeded(fmt::format_string<A...> format, A&&... args) {
  return Refused({400, "LimitExceededException", fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
Refused throttled(fmt::format_string<A...> format, A&&... args) {
  return Refused({400, "ProvisionedThroughputExceededException", fmt::format(format, std::forward<A>(args)...)});
}
template <class... A>
Refused internal_failure(fmt::format_string<A...> format, A&&... args) {
  return Refused({500, "InternalFailure", fmt::format(format, std::forward<A>(args)...)});
}

}  // namespace pinflow::kinesis
