// The history of runs: DATA/state/schedule.db, an SQLite file that any number of processes share. Each change is one
// transaction, on the disk when a call returns; a process that dies leaves no half change. Used by one thread.
//
//   queued ──claim──► running ──finish──► succeeded | failed | cancelled
//     │                  └──its process is gone──► abandoned
//     └──cancel──► cancelled
//
// Runs with a slot (scheduled, backfilled, dated, retries of these) run one at a time and each slot succeeds once; the
// file itself holds both (unique indexes). A batch that a person starts without a date has no slot: it is recorded
// only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "schedule/process.h"
#include "schedule/sqlite.h"

namespace pinflow::schedule {

enum class State { queued, running, succeeded, failed, cancelled, abandoned };
enum class Trigger { schedule, manual, backfill, retry };
std::string_view name_of(State state);
std::string_view name_of(Trigger trigger);

struct Run {
  int64_t id = 0;
  std::string slot;  // "2026-11-20", or the instant where a day has several; empty: none
  std::string date;  // $date
  Trigger trigger = Trigger::manual;
  State state = State::queued;
  int64_t attempt = 1;              // 2: the first retry
  std::optional<int64_t> retry_of;  // the run before
  std::optional<int64_t> due_ms;    // the schedule's time
  int64_t not_before_ms = 0;        // back-off and jitter
  int64_t created_ms = 0;
  std::optional<int64_t> started_ms, ended_ms;
  Worker worker;              // who runs it, or ran it
  std::string step;           // what it does, or did last
  std::string seconds;        // JSON objects, empty where not known: {"clean":0.5,…}
  std::string counts;         //   {"clean":{"pin":12},…}
  std::string before, after;  // table versions: {"pin":3,…}
  std::string log;            // its file
  std::string message;        // why it failed, or was asked to stop
  bool cancel = false;        // it was asked to
};

// What a finished run says of itself.
struct Outcome {
  State state = State::failed;
  std::string message, seconds, counts, after;
};

struct NewRun {
  std::string slot, date;
  Trigger trigger = Trigger::manual;
  std::optional<int64_t> due_ms, retry_of;
  int64_t not_before_ms = 0, attempt = 1;
  bool force = false;  // also where the slot has succeeded
};

// A run that was added, or the one that keeps it from being added: it has succeeded, or is queued or running, or (for
// the schedule's own) was there before.
struct Added {
  bool added = false;
  Run run;
};

class History {
 public:
  static constexpr int kBusyMs = 5000;  // how long a call waits for other processes
  static Result<History> open(const std::filesystem::path& data, int busy_ms = kBusyMs);
  static std::filesystem::path file_in(const std::filesystem::path& data) { return data / "state" / "schedule.db"; }

  Result<Added> add(const NewRun& run, int64_t now_ms);
  // Many in one transaction, in order: each added, or not, as by add().
  Result<std::vector<Added>> add_all(const std::vector<NewRun>& runs, int64_t now_ms);
  // Plans the schedule: adds its runs and moves the mark to `until_ms`, both or neither.
  Result<std::vector<Added>> plan(const std::vector<NewRun>& runs, int64_t until_ms, int64_t now_ms);

  // Makes a queued run this process's. conflict: it is not queued any more, another run with a slot is running, or
  // `fence` (of a scheduler's lease; 0: none) is no longer the newest.
  Result<> claim(int64_t id, const Worker& worker, int64_t fence, int64_t now_ms);
  Result<> set_step(int64_t id, const std::string& step);
  Result<> set_versions_before(int64_t id, const std::string& json);
  Result<> set_log(int64_t id, const std::string& file);
  // Ends a run that is running (or queued: its process failed before it began). A reason given by ask_stop goes before
  // the outcome's message; one that was asked to cancel and failed is cancelled. False: it had ended already.
  Result<bool> finish(int64_t id, const Outcome& outcome, int64_t now_ms);
  // A run that was stopped with its scheduler waits again, as if it had not begun.
  Result<> queue_again(int64_t id);
  Result<> ask_stop(int64_t id, const std::string& reason, bool cancel);
  // Runs that are running and whose process is gone become abandoned; their ids.
  Result<std::vector<int64_t>> find_abandoned(int64_t now_ms);

  Result<Run> get(int64_t id);                     // not_found
  Result<std::vector<Run>> list(int64_t at_most);  // the newest first
  Result<std::vector<Run>> running();
  Result<Run> last_of(const std::string& slot);  // not_found
  // Whether each slot's last run succeeded, was cancelled, or failed for good.
  Result<bool> all_settled(const std::vector<std::string>& slots);
  Result<std::optional<Run>> next_queued(int64_t now_ms);  // in the order of their time
  Result<int64_t> queued();
  // Failed or abandoned runs that a scheduler planned (or retries) and that settle() was not called for: each is
  // retried or told of, then settled. What a person began is theirs to repeat.
  Result<std::vector<Run>> unsettled();
  Result<> settle(int64_t id, const std::optional<NewRun>& retry, int64_t now_ms);

  Result<bool> paused();
  Result<> set_paused(bool paused);
  Result<std::optional<int64_t>> planned_until();
  Result<> set_planned_until(int64_t ms);

  // The one scheduler of this file. The lease is taken where nobody has it, its holder's process is gone, or it was
  // not renewed for kLeaseMs (or by a clock that was set back); each new holder's number (the fence) is higher.
  struct Lease {
    bool held = false;
    int64_t fence = 0;
    Worker holder;
  };
  static constexpr int64_t kLeaseMs = 30'000;
  Result<Lease> take_lease(const Worker& me, int64_t now_ms);
  Result<> give_lease_back(const Worker& me);

 private:
  explicit History(Database database) : database_(std::move(database)) {}
  Result<Added> insert(const NewRun& run, int64_t now_ms);
  Result<std::vector<Run>> select(const std::string& where, const std::vector<Cell>& values = {});
  Result<std::string> meta(const std::string& name);
  Result<> set_meta(const std::string& name, const std::string& value);

  Database database_;
};

}  // namespace pinflow::schedule
