// Clean-up of a table's log (PROTOCOL.md, "Metadata Cleanup"): entries before a checkpoint that is older than the
// retention go, oldest first, so that what is left is at any moment a whole log from some version on. Without such a
// checkpoint nothing goes.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "delta/actions.h"
#include "object/store.h"

namespace pinflow::delta {

// Entries younger than this stay, whatever the retention: a writer that trusts what it read has looked since
// (writer.cc).
inline constexpr int64_t kLeastLogAgeMs = 120'000;

struct LogCleaned {
  int64_t removed = 0;  // objects
  int64_t oldest = -1;  // version that the log now begins with
  bool more = false;    // `most` was reached
};

// Times are those of the files. `most` objects are removed at most.
Result<LogCleaned> clean_log(object::Store& store, const std::string& table, int64_t retention_ms, int64_t now_ms,
                             int64_t most);

}  // namespace pinflow::delta
