#include "app/schedule_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "app/schedule_notify.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "schedule/planner.h"
#include "schedule/scheduler.h"

namespace pinflow::app {
namespace {

using schedule::History;
using schedule::Run;
using schedule::State;

constexpr std::chrono::milliseconds kLook(200);  // between two looks at what is due
constexpr int64_t kDefaultCount = 5;             // of `schedule next`
constexpr int64_t kMaxBackfill = 100'000;        // runs of one backfill

pipeline::Schedule schedule_of(const Context& context) {
  pipeline::Schedule schedule = context.pipeline.schedule;
  if (!context.options.cron.empty()) {
    schedule.cron = context.options.cron;
    schedule.where = "--cron";
  }
  if (!context.options.timezone.empty()) {
    schedule.zone = context.options.timezone;
    schedule.where = context.options.cron.empty() ? "--timezone" : "--cron, --timezone";
  }
  return schedule;
}

std::filesystem::path logs_of(const Context& context) { return context.options.data / "state" / "runs"; }

// This program again, with the flags that this one was given.
std::vector<std::string> command_of(const Context& context, const Run& run, int64_t fence) {
  const Options& o = context.options;
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::vector<std::string> command{self.string(), "batch",
                                   "--step",      "all",
                                   "--run",       fmt::format("{}", run.id),
                                   "--fence",     fmt::format("{}", fence),
                                   "--pipeline",  o.pipeline.string(),
                                   "--data",      o.data.string(),
                                   "--profile",   o.profile};
  const auto add = [&](const char* flag, const std::string& value) {
    if (value.empty()) return;
    command.emplace_back(flag);
    command.push_back(value);
  };
  add("--lake", o.lake);
  add("--bootstrap-server", o.bootstrap_server);
  add("--command-config", o.command_config.string());
  if (o.verbose) command.emplace_back("--verbose");
  return command;
}

schedule::Scheduler scheduler_of(const Context& context, History& history, schedule::Times times, bool plan) {
  const pipeline::Schedule schedule = schedule_of(context);
  schedule::SchedulerOptions options;
  options.plan = plan;
  options.now_ms = [] { return now_ms(); };
  options.start = [&context](const Run& run, int64_t fence, const std::filesystem::path& log) {
    return schedule::Child::start(command_of(context, run, fence), {}, log);
  };
  options.tell = [&context, schedule](const Run& run) {
    tell_of_failure(context.pipeline.id, schedule, run, logs_of(context) / fmt::format("{}.on_failure.log", run.id));
  };
  return {history, std::move(times), schedule, logs_of(context), std::move(options)};
}

// A moment's trouble with the history (locked, full) is told once, and the next look may do better.
class Troubles {
 public:
  Result<> take(const Result<>& step) {
    if (step) {
      last_.clear();
      return {};
    }
    const Code code = step.error().code;
    if (code != Code::unavailable && code != Code::full) return step;
    if (step.error().message != last_) warn("{}", step.error().message);
    last_ = step.error().message;
    return {};
  }

 private:
  std::string last_;
};

std::string describe(const schedule::Times& times, const pipeline::Schedule& schedule) {
  const auto next = times.next(now_ms());
  return fmt::format("{} in {}, catch-up {}, {} retries; next: {}", schedule.cron, times.zone().name(),
                     schedule.catchup ? "on" : "off", schedule.retries, next ? iso_time(*next) : "never");
}

}  // namespace

Result<int> run_schedule(const Context& context) {
  const pipeline::Schedule schedule = schedule_of(context);
  auto times = schedule::times_of(schedule);
  if (!times) return pass(times.error());
  auto history = History::open(context.options.data);
  if (!history) return pass(history.error());
  const int64_t begun = now_ms();
  fmt::print("schedule  {}\n", describe(*times, schedule));
  if (schedule.where.empty()) info("the pipeline has no `schedule`: @daily in UTC is taken");
  if (!context.options.once) fmt::print("ready: Ctrl-C stops\n");
  std::fflush(stdout);
  auto scheduler = scheduler_of(context, *history, std::move(*times), true);
  Troubles troubles;
  bool waits = false;
  for (;;) {
    if (auto step = troubles.take(scheduler.step()); !step) return pass(step.error());
    if (!scheduler.has_lease() && !waits && scheduler.holder().pid != 0)
      info("another scheduler (process {}) works on {}: waiting for it to end", scheduler.holder().pid,
           context.options.data.string());
    waits = !scheduler.has_lease();
    if (context.options.once) {
      const auto idle = scheduler.idle();
      if (idle && *idle) break;
    }
    if (wait_for_stop(kLook)) break;
  }
  if (auto stopped = scheduler.stop(); !stopped) return pass(stopped.error());
  if (!context.options.once) return 0;
  const auto runs = history->list(schedule::kMaxCatchUp);
  if (!runs) return pass(runs.error());
  int status = stop_requested() ? 1 : 0;
  std::vector<std::string> seen;  // the newest run of a slot tells
  for (const Run& run : *runs) {
    if (run.slot.empty() || run.ended_ms.value_or(0) < begun || std::ranges::find(seen, run.slot) != seen.end())
      continue;
    seen.push_back(run.slot);
    fmt::print("run {} for {} {}{}\n", run.id, run.slot, name_of(run.state),
               run.message.empty() ? "" : ": " + run.message);
    if (run.state != State::succeeded) status = 1;
  }
  if (seen.empty()) fmt::print("nothing was due\n");
  return status;
}

Result<int> show_next_times(const Context& context) {
  const auto times = schedule::times_of(schedule_of(context));
  if (!times) return pass(times.error());
  const Options& o = context.options;
  const auto from = o.from.empty() ? std::optional(now_ms()) : parse_iso_time(o.from);
  const auto until = o.until.empty() ? std::nullopt : parse_iso_time(o.until);
  if (!from || (!o.until.empty() && !until))
    return invalid("--from and --until: an instant such as 2026-01-31T00:00:00Z");
  const int64_t count = o.count > 0 ? o.count : until ? INT64_MAX : kDefaultCount;
  // As a scheduler whose clock leaps from time to time.
  JsonWriter json;
  json.begin_array();
  int64_t clock = *from;
  for (int64_t i = 0; i < count; ++i) {
    const auto next = times->next(clock);
    if (!next || (until && *next > *until)) break;
    for (const int64_t at : schedule::due(*times, true, clock, *next).times) {
      const LocalTime local = times->zone().at(at);
      const std::string wall = iso_time(local.ms).substr(0, 16);
      if (o.format == Format::json) {
        json.begin_object()
            .key("at")
            .string(iso_time(at))
            .key("local")
            .string(wall)
            .key("zone")
            .string(local.abbreviation);
        json.key("date").string(times->date(at)).key("slot").string(times->slot(at)).end_object();
      } else {
        fmt::print("{}  {} {:<6} date {}\n", iso_time(at), wall, local.abbreviation, times->date(at));
      }
    }
    clock = *next;
  }
  if (o.format == Format::json) fmt::print("{}\n", json.end_array().text());
  return 0;
}

namespace {

Result<int> set_paused(const Context& context, bool paused) {
  auto history = History::open(context.options.data);
  if (!history) return pass(history.error());
  if (auto set = history->set_paused(paused); !set) return pass(set.error());
  fmt::print("the schedule of {} is {}\n", context.options.data.string(), paused ? "paused" : "resumed");
  return 0;
}

}  // namespace

Result<int> pause_schedule(const Context& context) { return set_paused(context, true); }
Result<int> resume_schedule(const Context& context) { return set_paused(context, false); }

Result<int> see_through(const Context& context, History& history, const std::vector<std::string>& slots) {
  auto times = schedule::times_of(schedule_of(context));
  if (!times) return pass(times.error());
  auto scheduler = scheduler_of(context, history, std::move(*times), false);
  Troubles troubles;
  bool waits = false;
  for (;;) {
    if (auto step = troubles.take(scheduler.step()); !step) return pass(step.error());
    if (!scheduler.has_lease() && !waits && scheduler.holder().pid != 0)
      info("the scheduler (process {}) runs them; waiting", scheduler.holder().pid);
    waits = !scheduler.has_lease();
    const auto settled = history.all_settled(slots);
    if (settled && *settled) break;
    if (wait_for_stop(kLook)) break;
  }
  if (auto stopped = scheduler.stop(); !stopped) return pass(stopped.error());
  int status = stop_requested() ? 1 : 0;
  for (const std::string& slot : slots) {
    const auto run = history.last_of(slot);
    if (!run) return pass(run.error());
    fmt::print("run {} for {} {}{}\n", run->id, slot, name_of(run->state),
               run->message.empty() ? "" : ": " + run->message);
    if (run->state != State::succeeded) status = 1;
  }
  return status;
}

Result<int> backfill(const Context& context) {
  const auto times = schedule::times_of(schedule_of(context));
  if (!times) return pass(times.error());
  const auto from = schedule::parse_date(context.options.from), to = schedule::parse_date(context.options.until);
  if (!from || !to || *from > *to) {
    return invalid("schedule backfill {} {}: two days such as 2026-01-01 2026-01-31 are meant, the earlier first",
                   context.options.from, context.options.until);
  }
  auto history = History::open(context.options.data);
  if (!history) return pass(history.error());
  constexpr int64_t kDay = 86'400'000;
  std::vector<schedule::NewRun> runs;
  for (auto at = times->next(times->zone().to_utc_ms((*from - 1) * kDay)); at; at = times->next(*at)) {
    const auto day = schedule::parse_date(times->date(*at));
    if (*day > *to) break;
    if (*day < *from) continue;
    schedule::NewRun run;
    run.slot = times->slot(*at);
    run.date = times->date(*at);
    run.trigger = schedule::Trigger::backfill;
    run.due_ms = *at;
    run.force = context.options.force;
    runs.push_back(std::move(run));
    if (runs.size() > kMaxBackfill)
      return fail(Code::full, "these are more than {} runs; give a shorter range", kMaxBackfill);
  }
  auto added = history->add_all(runs, now_ms());
  if (!added) return pass(added.error());
  std::vector<std::string> slots;
  int64_t done_before = 0;
  for (const schedule::Added& each : *added) {
    if (!each.added && each.run.state == State::succeeded) ++done_before;
    else slots.push_back(each.run.slot);
  }
  if (done_before > 0) fmt::print("{} succeeded before and are not run again (--force runs them)\n", done_before);
  if (slots.empty()) {
    fmt::print("nothing to run from {} to {}\n", context.options.from, context.options.until);
    return 0;
  }
  fmt::print("{} runs are queued\n", slots.size());
  std::fflush(stdout);
  return see_through(context, *history, slots);
}

}  // namespace pinflow::app
