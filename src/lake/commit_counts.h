// What a commit of the batch says about itself, under "pinflow" in its commitInfo:
//
//   {"pinflow":{"plan":3,"date":"2026-11-20","records":[{"record":"pin","cleaning":"<SHA-256>","raw":100,"clean":97,
//     "duplicates":2,"dead":1,"before":0,"after":97,
//     "missing":0,"noted":{"bad_follower_count":1,"missing_fields":0}}]}}
//
// One record in the commit of a data table; all of them, without clean and what follows from it, in that of `dead`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "lake/batch.h"
#include "object/store.h"

namespace pinflow::lake {

struct CommitCounts {
  int64_t plan = 0;
  std::string date;
  struct Record {
    RecordReport counts;
    std::string cleaning;  // digest_of the cleaning that was used
  };
  std::vector<Record> records;
};

std::string write_counts(const CommitCounts& counts);
// Nothing where the commitInfo holds no such member.
std::optional<CommitCounts> parse_counts(std::string_view commit_info);

// "pinflow:pinterest:batch:pin"
std::string app_id(const std::string& pipeline, const std::string& table);

// The counts of the commit in which the table took plan N; nothing where the log no longer holds that commit.
Result<std::optional<CommitCounts>> find_counts(object::Store& store, const std::string& pipeline,
                                                const std::string& table, int64_t plan);

// Adds one plan's counts to a run's.
void add_counts(RecordReport& sum, const RecordReport& one);

}  // namespace pinflow::lake
