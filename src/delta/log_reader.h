// What readers of a table's log share: which of its files are needed, and the commits one after another.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/log_names.h"
#include "object/store.h"

namespace pinflow::delta {

// The whole log, or its files of versions from `from` on.
Result<LogListing> list_log(object::Store& store, const std::string& table, std::optional<int64_t> from = std::nullopt);

// The part of the log that `target` (nothing: the newest version) needs, by _last_checkpoint where it holds; else all.
Result<LogListing> find_log(object::Store& store, const std::string& table, std::optional<int64_t> target);

// One commit as it was read.
struct ReadCommit {
  int64_t version = 0;
  int64_t bytes = 0;
  int64_t file_time_ms = 0;  // 0 where the listing had it not
  Actions actions;
};

// The commits of versions [from, to], in order. Each is asked for by its name, as a listing may have missed one that
// came while it was made; many at once where a fetch takes its time. corrupt where one is missing; unsupported where
// the log has a v2 checkpoint in its stead.
Result<> read_commits(object::Store& store, const std::string& table, const LogListing& listing, int64_t from,
                      int64_t to, const std::function<Result<>(ReadCommit)>& take);

// Bytes of the listed commits after `version`.
int64_t commit_bytes_after(const LogListing& listing, int64_t version);

}  // namespace pinflow::delta
