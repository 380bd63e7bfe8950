// Opens a log whose system calls are given: for tests that make them fail. Everybody else: Log::open.
#pragma once

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "log/file_calls.h"
#include "log/log.h"

namespace pinflow::log {

Result<std::unique_ptr<Log>> open_log(std::filesystem::path folder, LogOptions options,
                                      std::unique_ptr<FileCalls> calls);

}  // namespace pinflow::log
