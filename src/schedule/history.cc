#include "schedule/history.h"

#include <array>
#include <charconv>

namespace pinflow::schedule {
namespace {

constexpr std::string_view kStates[] = {"queued", "running", "succeeded", "failed", "cancelled", "abandoned"};
constexpr std::string_view kTriggers[] = {"schedule", "manual", "backfill", "retry"};

// `seat` is 1 for runs that may run one at a time.
constexpr const char* kSchema[] = {
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL, "
    "until_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY AUTOINCREMENT, slot TEXT, date TEXT NOT NULL, "
    "cause TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, retry_of INTEGER, due_ms INTEGER, "
    "not_before_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, "
    "worker TEXT NOT NULL DEFAULT '', step TEXT NOT NULL DEFAULT '', seconds TEXT NOT NULL DEFAULT '', "
    "counts TEXT NOT NULL DEFAULT '', versions_before TEXT NOT NULL DEFAULT '', "
    "versions_after TEXT NOT NULL DEFAULT '', log TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', "
    "cancel INTEGER NOT NULL DEFAULT 0, settled INTEGER NOT NULL DEFAULT 0, seat INTEGER)",
    "CREATE UNIQUE INDEX IF NOT EXISTS one_at_a_time ON runs (seat) WHERE state = 'running'",
    "CREATE UNIQUE INDEX IF NOT EXISTS planned_once ON runs (slot) WHERE cause = 'schedule'",
    "CREATE UNIQUE INDEX IF NOT EXISTS waiting_once ON runs (slot) WHERE state IN ('queued', 'running')",
    "CREATE INDEX IF NOT EXISTS by_slot ON runs (slot)",
    "CREATE INDEX IF NOT EXISTS by_state ON runs (state)",
};
constexpr const char* kFormat = "1";
constexpr const char* kColumns =
    "id, slot, date, cause, state, attempt, retry_of, due_ms, not_before_ms, created_ms, started_ms, ended_ms, worker, "
    "step, seconds, counts, versions_before, versions_after, log, message, cancel";

template <size_t N>
int index_of(const std::string_view (&names)[N], const std::string& name) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

std::optional<int64_t> number_of(const Cell& cell) {
  if (cell.null()) return {};
  return cell.number;
}

Run run_of(Row& row) {
  Run run;
  run.id = row[0].number;
  run.slot = row[1].text;
  run.date = row[2].text;
  run.trigger = static_cast<Trigger>(std::max(0, index_of(kTriggers, row[3].text)));
  run.state = static_cast<State>(std::max(0, index_of(kStates, row[4].text)));
  run.attempt = row[5].number;
  run.retry_of = number_of(row[6]);
  run.due_ms = number_of(row[7]);
  run.not_before_ms = row[8].number;
  run.created_ms = row[9].number;
  run.started_ms = number_of(row[10]);
  run.ended_ms = number_of(row[11]);
  run.worker = Worker::parse(row[12].text);
  std::string* texts[] = {&run.step, &run.seconds, &run.counts, &run.before, &run.after, &run.log, &run.message};
  for (size_t i = 0; i < std::size(texts); ++i) *texts[i] = std::move(row[13 + i].text);
  run.cancel = row[20].number != 0;
  return run;
}

}  // namespace

std::string_view name_of(State state) { return kStates[static_cast<int>(state)]; }
std::string_view name_of(Trigger trigger) { return kTriggers[static_cast<int>(trigger)]; }

Result<History> History::open(const std::filesystem::path& data, int busy_ms) {
  auto database = Database::open(file_in(data), busy_ms);
  if (!database) return pass(database.error());
  History history(std::move(*database));
  const auto tables = history.database_.query("SELECT name FROM sqlite_master WHERE name = 'by_state'");
  if (!tables) return pass(tables.error());
  if (tables->empty()) {
    auto made = history.database_.transaction<bool>([&]() -> Result<bool> {
      for (const char* statement : kSchema) {
        if (auto done = history.database_.execute(statement); !done) return pass(done.error());
      }
      if (auto done = history.set_meta("format", kFormat); !done) return pass(done.error());
      return true;
    });
    if (!made) return pass(made.error());
  }
  const auto format = history.meta("format");
  if (!format) return pass(format.error());
  if (*format != kFormat)
    return unsupported("{}: it was written by another version of pinflow (format {})", file_in(data).string(), *format);
  return history;
}

Result<std::vector<Run>> History::select(const std::string& where, const std::vector<Cell>& values) {
  auto rows = database_.query(fmt::format("SELECT {} FROM runs {}", kColumns, where), values);
  if (!rows) return pass(rows.error());
  std::vector<Run> runs;
  for (Row& row : *rows) runs.push_back(run_of(row));
  return runs;
}

Result<Added> History::insert(const NewRun& run, int64_t now_ms) {
  if (!run.slot.empty()) {
    auto others = select(
        "WHERE slot = ? AND (state IN ('queued', 'running') OR (? AND state = 'succeeded') OR (? AND cause = "
        "'schedule')) ORDER BY state IN ('queued', 'running') DESC, id DESC LIMIT 1",
        {run.slot, !run.force, run.trigger == Trigger::schedule});
    if (!others) return pass(others.error());
    if (!others->empty()) return Added{false, std::move(others->front())};
  }
  auto put = database_.execute(
      "INSERT INTO runs (slot, date, cause, state, attempt, retry_of, due_ms, not_before_ms, created_ms, seat) VALUES "
      "(?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
      {run.slot.empty() ? Cell() : Cell(run.slot), run.date, std::string(name_of(run.trigger)), run.attempt,
       run.retry_of, run.due_ms, run.not_before_ms, now_ms, run.slot.empty() ? Cell() : Cell(1)});
  if (!put) return pass(put.error());
  auto added = get(database_.last_id());
  if (!added) return pass(added.error());
  return Added{true, std::move(*added)};
}

Result<Added> History::add(const NewRun& run, int64_t now_ms) {
  return database_.transaction<Added>([&] { return insert(run, now_ms); });
}

Result<std::vector<Added>> History::add_all(const std::vector<NewRun>& runs, int64_t now_ms) {
  return database_.transaction<std::vector<Added>>([&]() -> Result<std::vector<Added>> {
    std::vector<Added> all;
    for (const NewRun& run : runs) {
      auto added = insert(run, now_ms);
      if (!added) return pass(added.error());
      all.push_back(std::move(*added));
    }
    return all;
  });
}

Result<std::vector<Added>> History::plan(const std::vector<NewRun>& runs, int64_t until_ms, int64_t now_ms) {
  return database_.transaction<std::vector<Added>>([&]() -> Result<std::vector<Added>> {
    std::vector<Added> all;
    for (const NewRun& run : runs) {
      auto added = insert(run, now_ms);
      if (!added) return pass(added.error());
      all.push_back(std::move(*added));
    }
    if (auto set = set_planned_until(until_ms); !set) return pass(set.error());
    return all;
  });
}

Result<> History::claim(int64_t id, const Worker& worker, int64_t fence, int64_t now_ms) {
  auto claimed = database_.transaction<int64_t>([&]() -> Result<int64_t> {
    auto set = database_.execute(
        "UPDATE runs SET state = 'running', worker = ?, started_ms = ? WHERE id = ? AND state = 'queued' AND (? = 0 OR "
        "? = (SELECT fence FROM lease WHERE name = 'scheduler'))",
        {worker.text(), now_ms, id, fence, fence});
    if (!set) return pass(set.error());
    return database_.changes();
  });
  if (claimed && *claimed == 1) return {};
  if (!claimed && claimed.error().code != Code::conflict) return pass(claimed.error());
  const auto run = get(id);
  if (!run) return pass(run.error());
  if (run->state != State::queued)
    return fail(Code::conflict, "run {} is {}: it is not there to be begun", id, name_of(run->state));
  if (claimed) return fail(Code::conflict, "run {} was given by a scheduler that another one has replaced", id);
  const auto others = running();
  if (!others) return pass(others.error());
  for (const Run& other : *others) {
    if (!other.slot.empty())
      return fail(Code::conflict,
                  "run {} ({}, process {}) is under way, and runs do not overlap: wait for it, or "
                  "`pinflow runs cancel {}`",
                  other.id, other.slot, other.worker.pid, other.id);
  }
  return fail(Code::conflict, "run {}: another run was under way; try again", id);
}

Result<> History::set_step(int64_t id, const std::string& step) {
  return database_.execute("UPDATE runs SET step = ? WHERE id = ? AND state = 'running'", {step, id});
}
Result<> History::set_versions_before(int64_t id, const std::string& json) {
  return database_.execute("UPDATE runs SET versions_before = ? WHERE id = ?", {json, id});
}
Result<> History::set_log(int64_t id, const std::string& file) {
  return database_.execute("UPDATE runs SET log = ? WHERE id = ?", {file, id});
}

Result<bool> History::finish(int64_t id, const Outcome& outcome, int64_t now_ms) {
  const bool well = outcome.state == State::succeeded;
  auto set = database_.execute(
      "UPDATE runs SET state = CASE WHEN cancel AND ? THEN 'cancelled' ELSE ? END, "
      "message = CASE WHEN ? THEN '' WHEN message = '' THEN ? ELSE message END, ended_ms = ?, "
      "seconds = ?, counts = ?, versions_after = ? WHERE id = ? AND state IN ('queued', 'running')",
      {!well, std::string(name_of(outcome.state)), well, outcome.message, now_ms, outcome.seconds, outcome.counts,
       outcome.after, id});
  if (!set) return pass(set.error());
  return database_.changes() == 1;
}

Result<> History::ask_stop(int64_t id, const std::string& reason, bool cancel) {
  const auto asked = database_.transaction<bool>([&]() -> Result<bool> {
    auto set = database_.execute(
        "UPDATE runs SET message = ?, cancel = cancel OR ? WHERE id = ? AND state IN ('queued', 'running')",
        {reason, cancel, id});
    if (!set) return pass(set.error());
    if (auto ended = database_.execute(
            "UPDATE runs SET state = 'cancelled', ended_ms = created_ms WHERE id = ? AND state = 'queued' AND cancel",
            {id});
        !ended)
      return pass(ended.error());
    return true;
  });
  if (!asked) return pass(asked.error());
  return {};
}

Result<> History::queue_again(int64_t id) {
  return database_.execute(
      "UPDATE runs SET state = 'queued', worker = '', step = '', message = '', started_ms = NULL, ended_ms = NULL "
      "WHERE id = ? AND state IN ('failed', 'abandoned') AND NOT settled",
      {id});
}

Result<std::vector<int64_t>> History::find_abandoned(int64_t now_ms) {
  auto all = running();
  if (!all) return pass(all.error());
  std::vector<int64_t> found;
  for (const Run& run : *all) {
    if (run.worker.alive()) continue;
    auto ended = finish(run.id,
                        {State::abandoned,
                         fmt::format("its process ({}) ended without a word, in the step '{}': it was killed, or the "
                                     "machine stopped",
                                     run.worker.pid, run.step),
                         "", "", ""},
                        now_ms);
    if (!ended) return pass(ended.error());
    if (*ended) found.push_back(run.id);
  }
  return found;
}

Result<Run> History::get(int64_t id) {
  auto found = select("WHERE id = ?", {id});
  if (!found) return pass(found.error());
  if (found->empty()) return not_found("there is no run {}; `pinflow runs list` shows those there are", id);
  return std::move(found->front());
}

Result<std::vector<Run>> History::list(int64_t at_most) { return select("ORDER BY id DESC LIMIT ?", {at_most}); }
Result<std::vector<Run>> History::running() { return select("WHERE state = 'running' ORDER BY id"); }

Result<Run> History::last_of(const std::string& slot) {
  auto found = select("WHERE slot = ? ORDER BY id DESC LIMIT 1", {slot});
  if (!found) return pass(found.error());
  if (found->empty()) return not_found("there is no run of {}", slot);
  return std::move(found->front());
}

Result<bool> History::all_settled(const std::vector<std::string>& slots) {
  for (const std::string& slot : slots) {
    auto open = database_.query(
        "SELECT 1 FROM runs WHERE slot = ? AND (state IN ('queued', 'running') OR (state IN ('failed', 'abandoned') "
        "AND "
        "NOT settled AND cause <> 'manual')) LIMIT 1",
        {slot});
    if (!open) return pass(open.error());
    if (!open->empty()) return false;
  }
  return true;
}

Result<std::optional<Run>> History::next_queued(int64_t now_ms) {
  auto found = select(
      "WHERE state = 'queued' AND not_before_ms <= ? ORDER BY not_before_ms, coalesce(due_ms, created_ms), id LIMIT 1",
      {now_ms});
  if (!found) return pass(found.error());
  if (found->empty()) return std::nullopt;
  return std::move(found->front());
}

Result<int64_t> History::queued() {
  auto count = database_.query("SELECT count(*) FROM runs WHERE state = 'queued'");
  if (!count) return pass(count.error());
  return count->front().front().number;
}

Result<std::vector<Run>> History::unsettled() {
  return select(
      "WHERE state IN ('failed', 'abandoned') AND NOT settled AND slot IS NOT NULL AND cause <> 'manual' ORDER BY id");
}

Result<> History::settle(int64_t id, const std::optional<NewRun>& retry, int64_t now_ms) {
  const auto settled = database_.transaction<bool>([&]() -> Result<bool> {
    auto set = database_.execute("UPDATE runs SET settled = 1 WHERE id = ? AND NOT settled", {id});
    if (!set) return pass(set.error());
    if (!retry || database_.changes() == 0) return true;
    auto added = insert(*retry, now_ms);
    if (!added) return pass(added.error());
    return true;
  });
  if (!settled) return pass(settled.error());
  return {};
}

Result<std::string> History::meta(const std::string& name) {
  auto rows = database_.query("SELECT value FROM meta WHERE name = ?", {name});
  if (!rows) return pass(rows.error());
  return rows->empty() ? "" : rows->front().front().text;
}

Result<> History::set_meta(const std::string& name, const std::string& value) {
  return database_.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                           {name, value});
}

Result<bool> History::paused() {
  const auto value = meta("paused");
  if (!value) return pass(value.error());
  return *value == "1";
}
Result<> History::set_paused(bool paused) { return set_meta("paused", paused ? "1" : "0"); }

Result<std::optional<int64_t>> History::planned_until() {
  auto text = meta("planned_until");
  if (!text) return pass(text.error());
  int64_t ms = 0;
  const auto [at, wrong] = std::from_chars(text->data(), text->data() + text->size(), ms);
  if (text->empty() || wrong != std::errc()) return std::nullopt;
  return ms;
}
Result<> History::set_planned_until(int64_t ms) { return set_meta("planned_until", fmt::format("{}", ms)); }

Result<History::Lease> History::take_lease(const Worker& me, int64_t now_ms) {
  return database_.transaction<Lease>([&]() -> Result<Lease> {
    auto rows = database_.query("SELECT holder, fence, until_ms FROM lease WHERE name = 'scheduler'");
    if (!rows) return pass(rows.error());
    int64_t fence = 1;
    if (!rows->empty()) {
      const Row& row = rows->front();
      const Worker holder = Worker::parse(row[0].text);
      fence = row[1].number;
      const bool mine = row[0].text == me.text();
      const bool set_back = row[2].number > now_ms + 2 * kLeaseMs;
      if (!mine && holder.alive() && row[2].number > now_ms && !set_back) return Lease{false, fence, holder};
      if (!mine) ++fence;
    }
    auto put = database_.execute("INSERT OR REPLACE INTO lease VALUES ('scheduler', ?, ?, ?)",
                                 {me.text(), fence, now_ms + kLeaseMs});
    if (!put) return pass(put.error());
    return Lease{true, fence, me};
  });
}

Result<> History::give_lease_back(const Worker& me) {
  return database_.execute("UPDATE lease SET holder = '', until_ms = 0 WHERE name = 'scheduler' AND holder = ?",
                           {me.text()});
}

}  // namespace pinflow::schedule
