// The batch leg: objects to tables to answers, each record exactly once, whatever dies at whatever moment and however
// many processes run it at once.
//
// Work is done by plans (plan.h). For plan N the dead letters of all record types are committed first, then each
// record type's table, every commit with txn {pinflow:<pipeline>:batch:<table>, N}; a plan without dead letters, or
// without new rows for a table, still makes that commit, so that "is N done?" has one answer for each table. A run
// finishes what earlier runs left, lowest plan first, and then makes plans until all that was there when it began is
// in.
//
// Each commit's commitInfo holds, under "pinflow", what was counted: a run that finds a commit of plan N there reports
// those numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "lake/plan.h"
#include "lake/query.h"
#include "lake/spark_lake.h"
#include "object/store.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

struct BatchOptions {
  std::string date;                         // a label: $date in the SQL; empty: today (UTC)
  int64_t memory_bytes = int64_t{1} << 30;  // of the engine; beyond it it spills
  int threads = 0;                          // 0: one for each processor
  int64_t plan_bytes = kPlanBytes;
  bool tables = true;                                                // take what is new into the tables
  std::string record;                                                // only this record type's table; empty: all
  bool answers = true;                                               // run the checks, compute and store the answers
  std::function<void(std::string_view step, double done)> progress;  // as in QueryOptions
  SparkChoice spark;                                                 // where it is set, Spark does the work
};

// Of one record type, over the plans of this run.
//   raw = clean + duplicates + dead,   after - before = clean
struct RecordReport {
  std::string record;
  std::string table;
  int64_t raw = 0;
  int64_t clean = 0;
  int64_t duplicates = 0;
  int64_t dead = 0;
  int64_t before = 0;  // rows of the table
  int64_t after = 0;
  std::vector<std::pair<std::string, int64_t>> noted;  // "bad_age", …, "missing_fields", "unknown_fields"
  int64_t missing = 0;  // offsets in the plans' ranges that neither objects nor dead letters hold
};

struct BatchReport {
  std::vector<int64_t> plans;                           // worked on, also where another process did all the rest
  std::vector<RecordReport> records;                    // in the order of the pipeline
  std::vector<std::pair<std::string, double>> seconds;  // plan, clean, dead letters, tables, commit, answers
  Answers answers;  // empty without BatchOptions::answers; where a check failed it has the checks, and no answer
};

// Where a check of severity `fail` finds rows, the tables have the data and nothing is stored under answers/: whoever
// reads answers sees those of the last batch that was well. Look at report.answers.checks.
//
// Errors: conflict (a topic is another one than the lake was filled from; a plan was begun with another cleaning;
// tables have plans that are no longer there), corrupt (objects of a plan are gone, or overlap), invalid (SQL, with
// file and line), full, cancelled (a stop was requested: what is committed stays, the rest is done by the next run),
// and the store's. Never a half commit.
Result<BatchReport> run_batch(const pipeline::Pipeline& pipeline, object::Store& store,
                              const BatchOptions& options = {});

}  // namespace pinflow::lake
