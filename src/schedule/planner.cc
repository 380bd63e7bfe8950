#include "schedule/planner.h"

#include <algorithm>

namespace pinflow::schedule {

Result<Times> times_of(const pipeline::Schedule& schedule) {
  const std::string where = schedule.where.empty() ? "the schedule" : schedule.where;
  auto cron = Cron::parse(schedule.cron);
  if (!cron) return pass(cron.error(), "{}", where);
  auto zone = TimeZone::load(schedule.zone);
  if (!zone) return pass(zone.error(), "{}", where);
  if (!schedule.start.empty() && !parse_date(schedule.start))
    return invalid("{}: 'start' is '{}'; it must be a day such as 2026-01-31", where, schedule.start);
  return Times(std::move(*cron), std::move(*zone));
}

Due due(const Times& times, bool catchup, int64_t planned_until, int64_t now_ms) {
  Due found;
  found.until = now_ms;
  for (auto at = times.previous(now_ms + 1); at && *at > planned_until; at = times.previous(*at)) {
    if (found.times.size() < (catchup ? kMaxCatchUp : 1)) found.times.push_back(*at);
    else if (++found.left_out == kMaxCatchUp) break;
  }
  std::ranges::reverse(found.times);
  return found;
}

NewRun run_at(const Times& times, const pipeline::Schedule& schedule, int64_t due_ms) {
  NewRun run;
  run.slot = times.slot(due_ms);
  run.date = times.date(due_ms);
  run.trigger = Trigger::schedule;
  run.due_ms = due_ms;
  run.not_before_ms = due_ms + jitter(run.slot, schedule.jitter_s * 1000);
  return run;
}

std::optional<NewRun> retry_of(const Run& run, const pipeline::Schedule& schedule, int64_t now_ms) {
  if (run.attempt > schedule.retries) return {};
  int64_t wait_s = schedule.retry_delay_s;
  for (int64_t i = 1; i < run.attempt && wait_s < schedule.retry_delay_max_s; ++i) wait_s *= 2;
  wait_s = std::min(wait_s, std::max(schedule.retry_delay_s, schedule.retry_delay_max_s));
  NewRun next;
  next.slot = run.slot;
  next.date = run.date;
  next.trigger = Trigger::retry;
  next.due_ms = run.due_ms;
  next.retry_of = run.id;
  next.attempt = run.attempt + 1;
  next.not_before_ms =
      now_ms + wait_s * 1000 + jitter(fmt::format("{} {}", run.slot, next.attempt), schedule.jitter_s * 1000);
  next.force = true;  // it failed, whatever another run of the slot did before it
  return next;
}

int64_t jitter(const std::string& text, int64_t most) {
  uint64_t hash = 14695981039346656037ull;  // FNV-1a
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211ull;
  hash ^= hash >> 32;
  return most <= 0 ? 0 : static_cast<int64_t>(hash % static_cast<uint64_t>(most + 1));
}

}  // namespace pinflow::schedule
