// What does the work of a plan: reads its objects, cleans their records, writes the files that commits will add. The
// embedded engine is DuckDB, another is Spark (spark_engine.h); a batch is given one, and the next batch may be given
// the other. Plans, commits, transaction ids and counts are PlanRun's, the same with every engine: an engine commits
// nothing, so one that dies, or goes on after its run is dead, leaves files that belong to no table, and no more.
//
// One thread, one plan at a time: clean() of each record type, then write_dead(), then write_rows() of each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/snapshot.h"
#include "lake/objects.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

// What a cleaning made of a record type's share of a plan.
struct CleanedCounts {
  int64_t raw = 0;   // records
  int64_t dead = 0;  // of them dead letters
  // The sums of the cleaning's count_… columns over the good records, then missing_fields and unknown_fields.
  std::vector<std::pair<std::string, int64_t>> noted;
  // The objects that were read, and of each the offset behind its last record, at most its `to`.
  std::vector<TopicObject> objects;
  std::vector<int64_t> ends;
};

// Files in a table's folder that no commit has added yet, held against the table's columns.
struct WrittenFiles {
  std::vector<delta::DataFile> files;
  int64_t clean = 0;       // rows in them
  int64_t duplicates = 0;  // good records that were left out as repeats
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Cleans the records of these objects (of each those at the offsets [from, to)) and keeps what the calls below need.
  // invalid with the cleaning's file and line: it does not run, its columns are not as they should be (cleaning.h), it
  // makes more or fewer rows than there are records. corrupt where objects overlap, or are not as they were listed.
  virtual Result<CleanedCounts> clean(const pipeline::RecordType& record, std::vector<TopicObject> objects,
                                      const std::string& date) = 0;

  // The dead letters of these record types, each cleaned before, into the table `dead`. No file where there are none.
  virtual Result<std::vector<delta::DataFile>> write_dead(const std::vector<const pipeline::RecordType*>& records,
                                                          int64_t plan) = 0;

  // The good rows of a record type that was cleaned, into its table. With `drop_repeats` those that equal another of
  // them, or a row of the table as `before` has it (nothing: there is no table), are left out, all columns compared,
  // NULL equal to NULL.
  virtual Result<WrittenFiles> write_rows(const pipeline::RecordType& record, bool drop_repeats,
                                          const std::optional<delta::Snapshot>& before) = 0;

  // Frees what clean() kept.
  virtual Result<> forget(const pipeline::RecordType& record) = 0;
};

// corrupt where an object's records reach beyond where the next one of its partition begins: a record would be read
// twice. `objects` are sorted, `ends` as in CleanedCounts.
Result<> check_no_overlap(const std::vector<TopicObject>& objects, const std::vector<int64_t>& ends);

}  // namespace pinflow::lake
