// The scheduler: plans what is due, runs what is queued, one run at a time, each in a child process; retries what
// failed, and tells of what failed for good. All it knows stands in the history: it may be killed at any moment, and
// two of them on one folder are safe (one has the lease, the other waits for it).
//
// A run's process records its own steps and its end; the scheduler adds what a process cannot say of itself: that it
// was killed, hung, or never began. Used by one thread, which calls step() again and again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "pipeline/schedule.h"
#include "schedule/child.h"
#include "schedule/history.h"
#include "schedule/planner.h"

namespace pinflow::schedule {

struct SchedulerOptions {
  bool plan = true;           // false: only runs what is queued (a backfill)
  int64_t grace_ms = 10'000;  // from SIGTERM to SIGKILL
  std::function<int64_t()> now_ms;
  // Starts the process of a run, which claims it with the fence. The log is the file for its output.
  std::function<Result<Child>(const Run& run, int64_t fence, const std::filesystem::path& log)> start;
  // Tells of a run that failed and is not retried; called again by a later scheduler where this one dies in it.
  std::function<void(const Run& run)> tell;
};

class Scheduler {
 public:
  Scheduler(History& history, Times times, pipeline::Schedule schedule, std::filesystem::path logs,
            SchedulerOptions options);

  // One look at everything, without waiting. Errors are the history's; the next call begins anew.
  Result<> step();

  bool has_lease() const { return lease_.held; }
  const Worker& holder() const { return lease_.holder; }
  bool running() const { return child_.has_value(); }
  // Whether nothing is queued, running or to be settled.
  Result<bool> idle();
  // Stops the run under way (SIGTERM, then SIGKILL after the grace) and gives the lease back. What was stopped is
  // queued again, for the next scheduler.
  Result<> stop();

 private:
  Result<> plan_due();
  Result<> settle_all();
  Result<> watch_child();
  Result<> watch_others();
  Result<> start_next();
  void stop_child(const std::string& reason);

  History& history_;
  Times times_;
  pipeline::Schedule schedule_;
  std::filesystem::path logs_;
  SchedulerOptions options_;
  Worker me_;
  History::Lease lease_;
  std::optional<Child> child_;
  int64_t run_ = 0;  // the child's
  std::chrono::steady_clock::time_point started_, asked_;
  bool asked_to_stop_ = false;
  bool was_paused_ = false;
};

}  // namespace pinflow::schedule
