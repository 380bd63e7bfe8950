// A pipeline's data checks: SQL over the tables that must return no rows.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "lake/query_session.h"
#include "pipeline/pipeline.h"
#include "sql/value.h"

namespace pinflow::lake {

// Of what a check found, at most so many rows are read and shown.
inline constexpr size_t kCheckRows = 20;

struct CheckResult {
  std::string name;
  std::string title;
  bool fails = true;  // its severity; false: warn
  sql::Table rows;    // empty: all is well
  bool more = false;  // there are more than kCheckRows
  double seconds = 0;

  bool well() const { return rows.rows.empty(); }
};

// All checks, in order, in a session that has the tables' views. invalid: the SQL, with file and line.
Result<std::vector<CheckResult>> run_checks(const pipeline::Pipeline& pipeline, QuerySession& session,
                                            const std::string& date);

// Whether one of severity `fail` found rows.
bool any_failed(const std::vector<CheckResult>& checks);

}  // namespace pinflow::lake
