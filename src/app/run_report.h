// What `pinflow run` found out, and how it is shown. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/counts.h"
#include "lake/checks.h"
#include "sql/value.h"

namespace pinflow::app {

struct Answer {
  std::string name;
  std::string title;
  sql::Table table;
};

struct RunReport {
  LegCounts batch;
  bool with_batch = true;                               // that leg has run
  std::optional<LegCounts> stream;                      // where that one has
  std::vector<std::pair<std::string, double>> seconds;  // by step, in their order
  double total_seconds = 0;
  std::vector<lake::CheckResult> checks;
  std::vector<Answer> answers;           // none where a check failed
  std::vector<std::string> differences;  // between the stations; empty when all agree. Not in the text: they are errors
};

// {"counts":{…},"seconds":{"total":…,"<step>":…},"answers":{"<query>":[…]}}
std::string as_json(const RunReport& report);

// The checks that found rows, each with them; and what a failed one means.
std::string as_text(const std::vector<lake::CheckResult>& checks);

// The answers, the counts at each station, the time of each step, and why the tables did not grow where they did not.
std::string as_text(const RunReport& report);

}  // namespace pinflow::app
