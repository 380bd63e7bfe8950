// What a credentials chain reads of the machine: the environment, the clock, the home folder. A value, so that tests
// give their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace pinflow::aws {

struct Environment {
  std::function<std::optional<std::string>(const char* name)> variable;  // nothing where it is unset or empty
  std::function<int64_t()> now_ms;
  std::filesystem::path home;

  static Environment of_this_process();
};

// Whether the variable says "true", in whatever case.
bool is_true(const Environment& environment, const char* name);

}  // namespace pinflow::aws
