// Which version of each table is read: the newest, or one of the past.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "delta/snapshot.h"
#include "object/store.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

struct VersionChoice {
  std::optional<int64_t> at_ms;             // all tables as they were then
  std::map<std::string, int64_t> versions;  // of single tables; goes before at_ms
  std::optional<int64_t> version;           // of the only table that is read

  bool newest() const { return !at_ms && versions.empty() && !version; }
};

// "2026-11-20T23:06:31Z", "2026-11-20 23:06:31" or "2026-11-20" (its first moment), UTC.
Result<int64_t> parse_moment(std::string_view text);

// Of the words of --version ("12", "pin=12") and of --at.
Result<VersionChoice> parse_choice(const std::vector<std::string>& versions, const std::string& at);

// The tables (of the record types, or dead letters) whose names stand in one of the SQL texts; a record type's name
// stands for its table.
std::vector<std::string> tables_in(const pipeline::Pipeline& pipeline, const std::vector<std::string>& sql);

// `version` becomes a choice of the one table read; invalid where more or none are, where a chosen table is none of
// those that are read (the message names those), or where a moment is chosen too and is left no table to be of.
Result<VersionChoice> settle(VersionChoice choice, const std::vector<std::string>& read);

// The table as chosen. Nothing where there is no table and the newest is asked for; not_found where it was not there
// then, or has no such version any more.
Result<std::optional<delta::Snapshot>> find_snapshot(object::Store& store, const std::string& table,
                                                     const VersionChoice& choice);

}  // namespace pinflow::lake
