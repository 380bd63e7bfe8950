// Table properties (metaData.configuration) that say how long things are kept. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "delta/actions.h"

namespace pinflow::delta {

// "interval 30 days", "interval 1 week 12 hours", also without the first word: milliseconds. invalid where it is none;
// months and years have no fixed length and are refused.
Result<int64_t> parse_interval(std::string_view text);

// delta.logRetentionDuration: commits are kept for so long; 30 days where the table does not say.
Result<int64_t> log_retention_ms(const Metadata& metadata);
// delta.deletedFileRetentionDuration: removed files are kept for so long; 7 days where the table does not say.
Result<int64_t> file_retention_ms(const Metadata& metadata);
// delta.enableExpiredLogCleanup; true where the table does not say.
bool log_cleanup_enabled(const Metadata& metadata);

inline constexpr int64_t kDayMs = 24LL * 3600 * 1000;

}  // namespace pinflow::delta
