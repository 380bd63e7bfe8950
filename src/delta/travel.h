// Versions of a table by time.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::delta {

// The version that the table was at at that moment: the last one committed then or before. A commit's time is its
// commitInfo's, or its file's where that says none; a version counts as no older than those before it, as Delta asks
// (looked at among kExactCommits; a longer log is first halved by the times as they stand, which our commits write
// rising). not_found, with the first time there is, where that moment is before the table's first version, or before
// what its log still holds.
Result<int64_t> version_at(object::Store& store, const std::string& table, int64_t at_ms);

inline constexpr int64_t kExactCommits = 500;

}  // namespace pinflow::delta
