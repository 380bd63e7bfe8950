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

// Spaced by growth: when the commits since the last checkpoint weigh as much as it does, and are kLeastCommits. All
// checkpoints together then never weigh more than the log itself, and a reader reads at most about twice the state.
bool checkpoint_due(int64_t commits, int64_t log_bytes, int64_t checkpoint_bytes);
bool checkpoint_due(const Snapshot& snapshot);
inline constexpr int64_t kLeastCommits = 10;

// Writes <version>.checkpoint.parquet (without tombstones older than the table's file_retention_ms) and then
// _last_checkpoint. One that is there already is left as it is. Its bytes.
Result<int64_t> write_checkpoint(object::Store& store, const std::string& table, const Snapshot& snapshot);

// The actions in a checkpoint's files (one, or all parts of an old multi-part one), any number of them; with
// `rules_only` those that are no files: protocol, metaData and txn.
Result<Actions> read_checkpoint(object::Store& store, const std::vector<std::string>& names, bool rules_only = false);
// Rows that are brought into memory at once while one is read.
inline constexpr int64_t kCheckpointPage = 50'000;

// _last_checkpoint. Nothing where the text is broken: it is a hint.
std::optional<int64_t> parse_hint(std::string_view json);
std::string write_hint(int64_t version, int64_t actions, int64_t bytes, int64_t files);

}  // namespace pinflow::delta
