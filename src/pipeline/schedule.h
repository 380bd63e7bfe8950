// A pipeline's `schedule` and `checks`, as its folder declares them. Values only. The cron expression and the time zone
// are judged by who uses them (the room schedule), with the file and line that stand here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/sql.h"

namespace pinflow::pipeline {

struct Schedule {
  std::string where;  // "pipelines/pinterest/pipeline.yaml:120": the cron expression's place; empty where there is none
  std::string cron = "@daily";
  std::string zone = "UTC";
  std::string start;     // "2026-01-01": the first day of a catch-up; empty: when `pinflow schedule` first ran
  bool catchup = false;  // true: every missed time is run, in order; false: the last one
  int64_t retries = 2;
  int64_t retry_delay_s = 300;  // doubled from retry to retry …
  int64_t retry_delay_max_s = 3600;
  int64_t timeout_s = 6 * 3600;  // of one run; 0: none
  int64_t jitter_s = 0;          // each start is put off by up to so much
  std::string on_failure_command;
  std::string on_failure_webhook;
};

// SQL over the tables that must return no rows.
struct Check {
  std::string name;
  std::string title;
  bool fails = true;  // severity `fail`: its rows keep the answers from being published; else `warn`
  Sql sql;
};

// "90s", "5m", "2h", "1d", or "0", as seconds; nothing where it is none of these or longer than a year.
bool parse_duration(std::string_view text, int64_t& seconds);

}  // namespace pinflow::pipeline
