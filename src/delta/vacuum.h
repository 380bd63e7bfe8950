// Vacuum: data files that the table no longer has, and that no version within the retention can ask for, are removed.
//
//   removed from the table longer than the retention ago      goes
//   never named by any commit (a writer was killed)           goes when it is older than the retention and than a day
//   named by the newest version or by a younger removal       stays
//
// No file goes that a writer is about to commit: our writers do not commit a file that is older than half a day.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::delta {

inline constexpr int64_t kLeastOrphanAgeMs = 24LL * 3600 * 1000;
inline constexpr int64_t kOldestFileMs = kLeastOrphanAgeMs / 2;  // that our writers commit

struct Vacuumed {
  int64_t files = 0, bytes = 0;
  bool more = false;  // `most` was reached
};

// Only *.parquet, and none in folders that begin with '_'. Lists the folder first and reads the table after it, so that
// what is committed meanwhile is seen.
Result<Vacuumed> vacuum(object::Store& store, const std::string& table, int64_t retention_ms, int64_t now_ms,
                        int64_t most);

}  // namespace pinflow::delta
