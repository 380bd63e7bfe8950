// Snapshots of a partition's producers, beside its segments: written when a segment is closed and when the log is, so
// that opening reads the headers of the last segment only.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "log/partition_files.h"
#include "log/producer_state.h"

namespace pinflow::log {

// From the newest good snapshot, and the headers of the batches after it.
Result<ProducerState> load_producers(PartitionFiles& files, int64_t now_ms);

// The state when `end_offset` was the end. Not fsynced (a broken one is not taken); of the older ones the last stays.
Result<> save_producers(const std::filesystem::path& folder, const ProducerState& state, int64_t end_offset);

}  // namespace pinflow::log
