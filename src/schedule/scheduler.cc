#include "schedule/scheduler.h"

#include <signal.h>

#include <thread>

#include "base/clock.h"
#include "base/logging.h"

namespace pinflow::schedule {
namespace {

using Steady = std::chrono::steady_clock;
constexpr size_t kTail = 2000;  // bytes of a run's log that stand in its message

int64_t ms_since(Steady::time_point then) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - then).count();
}

}  // namespace

Scheduler::Scheduler(History& history, Times times, pipeline::Schedule schedule, std::filesystem::path logs,
                     SchedulerOptions options)
    : history_(history),
      times_(std::move(times)),
      schedule_(std::move(schedule)),
      logs_(std::move(logs)),
      options_(std::move(options)),
      me_(this_process()) {}

Result<> Scheduler::step() {
  const bool had = lease_.held;
  auto lease = history_.take_lease(me_, options_.now_ms());
  if (!lease) return pass(lease.error());
  lease_ = *lease;
  if (had && !lease_.held && child_) stop_child("another scheduler took over");
  if (child_) {
    if (auto watched = watch_child(); !watched) return watched;
  }
  if (!lease_.held) return {};
  if (auto watched = watch_others(); !watched) return watched;
  if (auto settled = settle_all(); !settled) return settled;
  if (options_.plan) {
    if (auto planned = plan_due(); !planned) return planned;
  }
  return child_ ? Result<>{} : start_next();
}

Result<> Scheduler::plan_due() {
  const auto paused = history_.paused();
  if (!paused) return pass(paused.error());
  if (*paused != was_paused_) info("the schedule is {}", *paused ? "paused" : "resumed");
  was_paused_ = *paused;
  if (*paused) return {};
  const int64_t now = options_.now_ms();
  auto mark = history_.planned_until();
  if (!mark) return pass(mark.error());
  if (!*mark) {
    const auto start = parse_date(schedule_.start);
    *mark = start ? times_.zone().to_utc_ms(*start * 86'400'000) - 1 : now;
    if (auto set = history_.set_planned_until(**mark); !set) return set;
  }
  if (now < **mark) {
    // A clock that was set back. Schedules that begin in the future wait for it.
    const auto start = parse_date(schedule_.start);
    if (start && times_.zone().to_utc_ms(*start * 86'400'000) > now) return {};
    warn("the clock went back, from {} to {}: times that were planned are not planned again", iso_time(**mark),
         iso_time(now));
    return history_.set_planned_until(now);
  }
  const Due found = due(times_, schedule_.catchup, **mark, now);
  if (found.times.empty()) return {};
  std::vector<NewRun> runs;
  for (const int64_t at : found.times) runs.push_back(run_at(times_, schedule_, at));
  auto added = history_.plan(runs, found.until, now);
  if (!added) return pass(added.error());
  if (found.left_out > 0) {
    info("{}{} missed times are left out ({})", found.left_out == kMaxCatchUp ? "at least " : "", found.left_out,
         schedule_.catchup ? "more than are caught up with at once" : "catchup is off: the last one is run");
  }
  for (const Added& each : *added) {
    if (each.added) info("run {} for {} is due", each.run.id, each.run.slot);
    else info("{} is not run: run {} of it is {}", each.run.slot, each.run.id, name_of(each.run.state));
  }
  return {};
}

// Every failed run is retried or told of, once at least.
Result<> Scheduler::settle_all() {
  const auto runs = history_.unsettled();
  if (!runs) return pass(runs.error());
  for (const Run& run : *runs) {
    const int64_t now = options_.now_ms();
    const auto retry = retry_of(run, schedule_, now);
    if (retry) {
      info("run {} for {} {}: {}; try {} of {} at {}", run.id, run.slot, name_of(run.state), run.message,
           retry->attempt, schedule_.retries + 1, iso_time(retry->not_before_ms));
    } else {
      error("run {} for {} {} for good, after {} tries: {}", run.id, run.slot, name_of(run.state), run.attempt,
            run.message);
      if (options_.tell) options_.tell(run);
    }
    if (auto settled = history_.settle(run.id, retry, now); !settled) return settled;
  }
  return {};
}

void Scheduler::stop_child(const std::string& reason) {
  if (asked_to_stop_) return;
  if (auto asked = history_.ask_stop(run_, reason, false); !asked) warn("{}", asked.error().message);
  child_->signal(SIGTERM);
  asked_to_stop_ = true;
  asked_ = Steady::now();
}

Result<> Scheduler::watch_child() {
  if (!asked_to_stop_ && schedule_.timeout_s > 0 && ms_since(started_) > schedule_.timeout_s * 1000)
    stop_child(fmt::format("it took longer than its time-out of {} s", schedule_.timeout_s));
  if (asked_to_stop_ && ms_since(asked_) > options_.grace_ms) child_->signal(SIGKILL);
  const auto ended = child_->ended();
  if (!ended) return {};
  child_.reset();
  const auto run = history_.get(run_);
  if (!run) return pass(run.error());
  if (run->state == State::queued || run->state == State::running) {
    // It could not say so itself.
    const std::string log = tail_of(run->log, kTail);
    const bool stopped = asked_to_stop_ && !run->message.empty();
    auto finished = history_.finish(run_,
                                    {stopped || run->state == State::queued ? State::failed : State::abandoned,
                                     fmt::format("its process ended with {}{}{}", ended->empty() ? "status 0" : *ended,
                                                 log.empty() ? "" : ":\n", log),
                                     "", "", ""},
                                    options_.now_ms());
    if (!finished) return pass(finished.error());
  }
  const auto after = history_.get(run_);
  if (!after) return pass(after.error());
  if (after->state == State::succeeded) info("run {} for {} succeeded", run_, after->slot);
  if (after->state == State::cancelled) info("run {} for {} was cancelled", run_, after->slot);
  return {};
}

// Runs of other processes, and those that an earlier scheduler began: the ones that are gone, and those that hang.
Result<> Scheduler::watch_others() {
  const auto gone = history_.find_abandoned(options_.now_ms());
  if (!gone) return pass(gone.error());
  const auto others = history_.running();
  if (!others) return pass(others.error());
  for (const Run& run : *others) {
    if ((child_ && run.id == run_) || run.slot.empty() || schedule_.timeout_s == 0 || !run.started_ms) continue;
    const int64_t over = options_.now_ms() - *run.started_ms - schedule_.timeout_s * 1000;
    if (over < 0) continue;
    if (run.message.empty()) {
      const auto reason = fmt::format("it took longer than its time-out of {} s", schedule_.timeout_s);
      if (auto asked = history_.ask_stop(run.id, reason, false); !asked) return asked;
      run.worker.signal(SIGTERM, true);
    } else if (over > options_.grace_ms) {
      run.worker.signal(SIGKILL, true);
    }
  }
  return {};
}

Result<> Scheduler::start_next() {
  const auto others = history_.running();
  if (!others) return pass(others.error());
  for (const Run& run : *others) {
    if (!run.slot.empty()) return {};
  }
  const auto next = history_.next_queued(options_.now_ms());
  if (!next || !*next) return next ? Result<>{} : pass(next.error());
  const Run& run = **next;
  const auto log = logs_ / fmt::format("{}.log", run.id);
  if (auto set = history_.set_log(run.id, log.string()); !set) return set;
  auto child = options_.start(run, lease_.fence, log);
  if (!child) {
    auto finished = history_.finish(run.id, {State::failed, child.error().message, "", "", ""}, options_.now_ms());
    return finished ? Result<>{} : pass(finished.error());
  }
  child_.emplace(std::move(*child));
  run_ = run.id;
  started_ = Steady::now();
  asked_to_stop_ = false;
  info("run {} for {} begins ({}, process {}); its log is {}", run.id, run.slot, name_of(run.trigger), child_->pid(),
       log.string());
  return {};
}

Result<bool> Scheduler::idle() {
  if (child_) return false;
  const auto queued = history_.queued();
  if (!queued) return pass(queued.error());
  if (*queued > 0) return false;
  const auto unsettled = history_.unsettled();
  if (!unsettled) return pass(unsettled.error());
  const auto running = history_.running();
  if (!running) return pass(running.error());
  for (const Run& run : *running) {
    if (!run.slot.empty()) return false;
  }
  return unsettled->empty();
}

Result<> Scheduler::stop() {
  if (child_) {
    const int64_t id = run_;
    stop_child("the scheduler was stopped");
    while (child_) {
      if (auto watched = watch_child(); !watched) return watched;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (auto queued = history_.queue_again(id); !queued) return queued;
  }
  return history_.give_lease_back(me_);
}

}  // namespace pinflow::schedule
