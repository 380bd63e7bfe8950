// A cleaning inside DuckDB: the view `raw` that it reads, and the table that its rows become.
//
// A cleaning is one SELECT from `raw`, which has each of the record's fields as text and `origin`, a number that says
// which record it is. It answers, by name and in this order: the table's columns; `reason`, NULL for a good record;
// any number of `count_…` columns, integers that are summed for the report; `origin`, handed through. One record in,
// one row out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "lake/record_source.h"
#include "pipeline/pipeline.h"
#include "sql/duckdb.h"

namespace pinflow::lake {

// The SQL text with $date replaced by a quoted literal, outside of quotes, names and comments. Pure.
std::string with_date(std::string_view sql, std::string_view date);

// A cleaning's SELECT with its date, ready to stand in brackets; where its lines stand in a statement in which it
// begins on `first_line`.
std::string body_of(const pipeline::RecordType& record, const std::string& date);
sql::Origin origin_of(const pipeline::RecordType& record, int first_line);

// The names of its counts, without "count_", from the columns that it answers. invalid where these are not as above.
Result<std::vector<std::string>> check_shape(const pipeline::RecordType& record, const std::vector<std::string>& names);

// Makes the prelude's functions known to the database.
Result<> run_prelude(sql::Connection& sql, const pipeline::Pipeline& pipeline);

// The table "cleaned_<record>" in DuckDB's memory: the table's columns, cast to their declared types; reason; counts;
// line. Rows that are no records have the engine's reason.
struct Cleaned {
  std::string name;                 // quoted, for SQL
  std::string columns;              // the table's, quoted, with commas
  std::vector<std::string> counts;  // names without "count_"
  int64_t raw = 0;
  int64_t dead = 0;
  std::vector<std::pair<std::string, int64_t>> noted;  // the counts' sums, then missing_fields and unknown_fields
};

// A cleaning that was held against its record type, as the statements that carry it out: prepared once, run for each
// batch of a stream. Its rows come from the source "records_<record>" of the database, which has RecordSource's
// columns.
struct PreparedCleaning {
  std::string view;           // makes `raw`, which a session has for one record type at a time
  std::string make;           // the cleaned table of `raw`
  std::string totals;         // its counts
  std::string name, columns;  // as of Cleaned
  std::vector<std::string> counts;
};
std::string source_name_of(const pipeline::RecordType& record);

// The source is registered, and `raw` is made. invalid: as of clean().
Result<PreparedCleaning> prepare_cleaning(sql::Connection& sql, const pipeline::RecordType& record,
                                          const std::string& date);

// What the source met in the pass that the cleaning made over it.
struct Met {
  int64_t lines = 0, missing = 0, unknown = 0;
};
// Cleans all of the source's records; `raw` is of this record type. `met` is asked behind the pass.
Result<Cleaned> run_cleaning(sql::Connection& sql, const pipeline::RecordType& record, const PreparedCleaning& cleaning,
                             const std::function<Met()>& met);

// Registers the source with the database, cleans all of its records. invalid with the cleaning's file and line: it
// does not run, its columns are not as above, it makes more or fewer rows than there are records.
// corrupt where objects overlap: a record would be read twice.
Result<Cleaned> clean(sql::Database& database, sql::Connection& sql, const pipeline::RecordType& record,
                      const std::shared_ptr<RecordSource>& source, const std::string& date);

// Frees what clean() made.
Result<> forget(sql::Database& database, sql::Connection& sql, const pipeline::RecordType& record);

// SELECT of the dead letters among the cleaned: table, reason, topic, partition, object, offset, record, plan.
std::string dead_letters_of(const pipeline::RecordType& record, const Cleaned& cleaned, int64_t plan);

}  // namespace pinflow::lake
