// How far a long piece of work is, for whoever shows it. Called often (every few thousand rows) by the working thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace pinflow::source {

// `what` is done for `done` of `total`: posts when they are made, bytes of a file when it is loaded.
using Progress = std::function<void(std::string_view what, int64_t done, int64_t total)>;

}  // namespace pinflow::source
