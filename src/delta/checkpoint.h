// Checkpoints: the whole state of a table as one Parquet file (PROTOCOL.md, "Checkpoints", V1 spec), written and read
// through an engine that lives for the call. A crash between any two steps leaves a table that reads the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "delta/snapshot.h"
#include "object/store.h"

namespace pinflow::delta {

// Spaced by growth, so that all checkpoints together cost a constant share of the work: after a tenth as many commits
// as the table has files, at least 10 and at most 1,000.
bool checkpoint_due(const Snapshot& snapshot);

// Tombstones older than this are left out of a checkpoint (delta.deletedFileRetentionDuration's default, one week);
// all are kept where the table sets that property.
inline constexpr int64_t kTombstoneMs = 7LL * 24 * 3600 * 1000;

// Writes <version>.checkpoint.parquet and then _last_checkpoint. One that is there already is left as it is.
Result<> write_checkpoint(object::Store& store, const std::string& table, const Snapshot& snapshot);

// The actions in a checkpoint's files (one, or all parts of an old multi-part one).
Result<Actions> read_checkpoint(object::Store& store, const std::vector<std::string>& names);

// _last_checkpoint. Nothing where the text is broken: it is a hint.
std::optional<int64_t> parse_hint(std::string_view json);
std::string write_hint(int64_t version, int64_t actions, int64_t bytes, int64_t files);

}  // namespace pinflow::delta
