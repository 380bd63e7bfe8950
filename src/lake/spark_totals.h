// What Spark met in the objects of a plan, and whether that is what was listed: every object, every byte, every line
// one row. The judging is pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "lake/objects.h"
#include "lake/spark_lines.h"
#include "spark/session.h"

namespace pinflow::lake {

// Of one object, by its partition and first offset.
struct SparkCount {
  int64_t rows = 0;
  int64_t bytes = 0;  // of its lines, a newline counted with each
  int64_t dead = 0;
};
using SparkCounts = std::map<std::pair<int32_t, int64_t>, SparkCount>;

struct SparkTotals {
  SparkCounts objects;
  int64_t raw = 0;
  int64_t dead = 0;
  std::vector<int64_t> noted;  // the counts' sums over the good records
  int64_t missing = 0;         // as of RecordSource
  int64_t unknown = 0;
  std::vector<int64_t> ends;  // CleanedCounts::ends
};

// One pass over the cleaned view (its columns reason, count_…, origin).
Result<SparkTotals> read_spark_totals(spark::Session& session, const std::string& view,
                                      const std::vector<std::string>& counts);

// Of spark_line_counts_sql.
Result<SparkCounts> read_spark_counts(spark::Session& session, const std::string& sql);

struct Judged {
  bool again = false;  // the pass must be made once more, by this choice
  LineChoice choice;
  std::set<size_t> suspects;  // objects of which not every line became one row
  std::vector<int64_t> ends;
};

// `whole` has the counts of the choice's numbered objects without regard to offsets. conflict where Spark met an object
// that was not listed: it came meanwhile.
Result<Judged> judge_totals(const std::vector<TopicObject>& objects, const SparkTotals& totals,
                            const SparkCounts& whole, const LineChoice& choice);

}  // namespace pinflow::lake
