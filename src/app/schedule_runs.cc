#include "app/schedule_runs.h"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "app/answers.h"
#include "app/schedule_commands.h"
#include "base/clock.h"
#include "base/json.h"
#include "schedule/child.h"
#include "schedule/history.h"
#include "sql/value.h"

namespace pinflow::app {
namespace {

using schedule::History;
using schedule::Run;
using schedule::State;

constexpr int64_t kListed = 20;
constexpr size_t kLogShown = 16'384;  // bytes
constexpr double kGraceSeconds = 10;  // from SIGTERM to SIGKILL

double seconds_of(const Run& run) {
  if (!run.started_ms) return 0;
  return static_cast<double>(run.ended_ms.value_or(now_ms()) - *run.started_ms) / 1000;
}

std::string time_of(const std::optional<int64_t>& ms) { return ms ? iso_time(*ms) : ""; }

void put_time(JsonWriter& json, const char* key, const std::optional<int64_t>& ms) {
  json.key(key);
  if (ms) json.string(iso_time(*ms));
  else json.null();
}

void put_json(JsonWriter& json, const char* key, const std::string& text) {
  json.key(key).raw(text.empty() ? "null" : text);
}

void write_json(JsonWriter& json, const Run& run) {
  json.begin_object().key("id").number(run.id).key("date").string(run.date).key("slot");
  if (run.slot.empty()) json.null();
  else json.string(run.slot);
  json.key("trigger").string(name_of(run.trigger)).key("state").string(name_of(run.state));
  json.key("attempt").number(run.attempt).key("retry_of");
  if (run.retry_of) json.number(*run.retry_of);
  else json.null();
  put_time(json, "due", run.due_ms);
  put_time(json, "not_before", run.not_before_ms > 0 ? std::optional(run.not_before_ms) : std::nullopt);
  put_time(json, "created", run.created_ms);
  put_time(json, "started", run.started_ms);
  put_time(json, "ended", run.ended_ms);
  json.key("process").number(static_cast<int64_t>(run.worker.pid)).key("step").string(run.step);
  put_json(json, "seconds", run.seconds);
  put_json(json, "counts", run.counts);
  put_json(json, "versions_before", run.before);
  put_json(json, "versions_after", run.after);
  json.key("log").string(run.log).key("message").string(run.message).end_object();
}

sql::Table as_table(const std::vector<Run>& runs) {
  sql::Table table;
  for (const char* name : {"id", "date", "trigger", "state", "try", "started", "seconds", "message"})
    table.columns.push_back({name, ""});
  for (const Run& run : runs) {
    const std::string& label = run.slot.empty() ? run.date : run.slot;
    table.rows.push_back({sql::Value{run.id}, sql::Value{label}, sql::Value{std::string(name_of(run.trigger))},
                          sql::Value{std::string(name_of(run.state))}, sql::Value{run.attempt},
                          sql::Value{time_of(run.started_ms)}, sql::Value{fmt::format("{:.1f}", seconds_of(run))},
                          sql::Value{run.message.substr(0, run.message.find('\n'))}});
  }
  return table;
}

// With those that died without a word known as abandoned.
Result<History> open(const Context& context) {
  auto history = History::open(context.options.data);
  if (!history) return history;
  if (auto gone = history->find_abandoned(now_ms()); !gone) return pass(gone.error());
  return history;
}

}  // namespace

Result<int> list_runs(const Context& context) {
  auto history = open(context);
  if (!history) return pass(history.error());
  const auto runs = history->list(context.options.count > 0 ? context.options.count : kListed);
  if (!runs) return pass(runs.error());
  if (context.options.format == Format::json) {
    JsonWriter json;
    json.begin_array();
    for (const Run& run : *runs) write_json(json, run);
    fmt::print("{}\n", json.end_array().text());
    return 0;
  }
  if (context.options.format == Format::csv) fmt::print("{}", sql::as_csv(as_table(*runs)));
  else if (runs->empty()) fmt::print("no runs yet in {}\n", context.options.data.string());
  else fmt::print("{}", sql::as_text(as_table(*runs), 48));
  return 0;
}

Result<int> show_run(const Context& context) {
  auto history = open(context);
  if (!history) return pass(history.error());
  const auto run = history->get(context.options.run_id);
  if (!run) return pass(run.error());
  if (context.options.format == Format::json) {
    JsonWriter json;
    write_json(json, *run);
    fmt::print("{}\n", json.text());
    return 0;
  }
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) fmt::print("{:<10} {}\n", name, value);
  };
  fmt::print("Run {} for {}: {}\n\n", run->id, run->slot.empty() ? run->date : run->slot, name_of(run->state));
  line("trigger",
       std::string(name_of(run->trigger)) + (run->retry_of ? fmt::format(" of run {}", *run->retry_of) : ""));
  line("try", fmt::format("{}", run->attempt));
  line("due", time_of(run->due_ms));
  if (run->state == State::queued) line("waits for", iso_time(run->not_before_ms));
  line("started", time_of(run->started_ms));
  line("ended", time_of(run->ended_ms));
  if (run->started_ms) line("took", fmt::format("{:.1f} s", seconds_of(*run)));
  if (run->worker.pid != 0) line("process", fmt::format("{}", run->worker.pid));
  line("step", run->step);
  line("seconds", run->seconds);
  line("counts", run->counts);
  line("before", run->before);
  line("after", run->after);
  line("message", run->message);
  line("log", run->log);
  if (const std::string log = schedule::tail_of(run->log, kLogShown); !log.empty()) fmt::print("\n{}\n", log);
  return 0;
}

Result<int> retry_run(const Context& context) {
  auto history = open(context);
  if (!history) return pass(history.error());
  const auto run = history->get(context.options.run_id);
  if (!run) return pass(run.error());
  if (run->slot.empty()) return invalid("run {} is a `pinflow batch` without a date: give that command again", run->id);
  schedule::NewRun again;
  again.slot = run->slot;
  again.date = run->date;
  again.trigger = schedule::Trigger::retry;
  again.due_ms = run->due_ms;
  again.retry_of = run->id;
  again.attempt = 1;  // and its own retries after it
  again.force = context.options.force;
  const auto added = history->add(again, now_ms());
  if (!added) return pass(added.error());
  if (!added->added) {
    return fail(Code::conflict, "run {} of {} {}{}", added->run.id, run->slot,
                added->run.state == State::succeeded ? "has succeeded" : "is under way already",
                added->run.state == State::succeeded ? "; --force runs it again" : "");
  }
  return see_through(context, *history, {run->slot});
}

Result<int> cancel_run(const Context& context) {
  auto history = open(context);
  if (!history) return pass(history.error());
  const int64_t id = context.options.run_id;
  const auto run = history->get(id);
  if (!run) return pass(run.error());
  if (run->state != State::queued && run->state != State::running)
    return fail(Code::conflict, "run {} {} already", id, name_of(run->state));
  if (auto asked = history->ask_stop(id, "it was cancelled", true); !asked) return pass(asked.error());
  bool killed = false;
  if (run->state == State::running) run->worker.signal(SIGTERM, true);
  for (const Stopwatch watch;;) {
    const auto now = history->get(id);
    if (!now) return pass(now.error());
    if (now->state != State::running) {
      fmt::print("run {} for {} {}\n", id, now->slot.empty() ? now->date : now->slot, name_of(now->state));
      return now->state == State::cancelled ? 0 : 1;
    }
    if (watch.seconds() > kGraceSeconds && !killed) killed = now->worker.signal(SIGKILL, true);
    if (auto gone = history->find_abandoned(now_ms()); !gone) return pass(gone.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace pinflow::app
