#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <unordered_set>

#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/table.h"
#include "delta/uuid.h"

namespace pinflow::delta {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kEngine = "pinflow/0.1.0";

Result<> check_request(const Append& append) {
  std::unordered_set<std::string_view> paths;
  for (const DataFile& file : append.files) {
    if (!paths.insert(file.path).second)
      return invalid("the file '{}' is given twice in one append to {}", file.path, append.table);
    if (file.held_against != schema_mark(append.columns)) {
      return invalid("the file '{}' was not held against the columns of the append to {}", file.path, append.table);
    }
  }
  if (append.txn.app_id.empty()) return invalid("an append to {} without an application id", append.table);
  if (append.commit_info.empty()) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(append.commit_info).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return invalid("the commit information for {} is no JSON object", append.table);
  }
  return {};
}

// May we append to the table as it is, and are its columns those that the files were held against?
Result<> check_table(const Append& append, const Snapshot& snapshot) {
  if (auto writable = check_writable(snapshot.protocol, snapshot.metadata); !writable)
    return pass(writable.error(), "{}", append.table);
  const std::string difference = schema_difference(snapshot.columns(), append.columns);
  if (difference.empty()) return {};
  return invalid("the table {} {}: mend the pipeline's columns, or write to another table", append.table, difference);
}

Result<Metadata> new_metadata(const Append& append) {
  auto schema = schema_to_json(append.columns);
  if (!schema) return pass(schema.error(), "making {}", append.table);
  Metadata metadata;
  metadata.id = new_uuid();
  metadata.schema_json = std::move(*schema);
  metadata.created_ms = now_ms();
  return metadata;
}

std::string commit_info(const Append& append, const std::optional<Snapshot>& snapshot, const std::string& id,
                        int64_t now) {
  int64_t rows = 0, bytes = 0;
  for (const DataFile& file : append.files) {
    rows += std::max<int64_t>(file.records, 0);
    bytes += file.size;
  }
  JsonWriter json;
  json.begin_object().key("timestamp").number(now).key("operation").string("WRITE");
  json.key("operationParameters")
      .begin_object()
      .key("mode")
      .string("Append")
      .key("partitionBy")
      .string("[]")
      .end_object();
  if (snapshot) json.key("readVersion").number(snapshot->version);
  json.key("isBlindAppend").boolean(!append.has_read);
  // Other readers take the metrics' values as texts.
  json.key("operationMetrics").begin_object();
  json.key("numFiles").string(std::to_string(append.files.size()));
  json.key("numOutputRows")
      .string(std::to_string(rows))
      .key("numOutputBytes")
      .string(std::to_string(bytes))
      .end_object();
  json.key("engineInfo").string(kEngine).key("txnId").string(id);
  std::string text = json.end_object().take();
  const std::string_view extra = append.commit_info;
  const size_t open = extra.find('{'), close = extra.rfind('}');
  if (open == std::string_view::npos) return text;
  const std::string_view members = extra.substr(open + 1, close - open - 1);
  if (members.find_first_not_of(" \t\r\n") == std::string_view::npos) return text;
  text.back() = ',';
  return text.append(members).append("}");
}

Result<Actions> actions_for(const Append& append, const std::optional<Snapshot>& snapshot, const std::string& id) {
  const int64_t now = now_ms();
  Actions actions;
  if (!snapshot) {
    auto metadata = new_metadata(append);
    if (!metadata) return pass(metadata.error());
    actions.protocol = Protocol{};
    actions.metadata = std::move(*metadata);
  }
  actions.txns = {{append.txn.app_id, append.txn.version, now}};
  actions.added = append.files;
  actions.commit_info = commit_info(append, snapshot, id, now);
  return actions;
}

enum class Put { ours, others };

// Puts the entry, and finds out whose it is where the answer does not say. After a lost answer the same bytes are put
// under the same name again, never under the next one: the first put may still arrive.
Result<Put> put_entry(object::Store& store, const std::string& name, const std::string& bytes, const std::string& id) {
  milliseconds wait{20};
  for (int tries = 1;; ++tries) {
    const auto put = store.put_if_absent(name, bytes);
    if (put) return Put::ours;
    if (put.error().code != Code::already_exists && put.error().code != Code::unavailable)
      return pass(put.error(), "committing {}", name);
    const auto there = store.get(name);
    if (there) {
      const auto actions = parse_actions(*there, name);
      if (!actions && actions.error().code == Code::corrupt) return pass(actions.error());
      return actions && actions->txn_id() == id ? Put::ours : Put::others;
    }
    if (there.error().code != Code::not_found && there.error().code != Code::unavailable)
      return pass(there.error(), "committing {}", name);
    if (tries == kMaxTries) {
      return unavailable(
          "committing {}: no answer in {} tries; whether it was committed is found out by the next run ({})", name,
          tries, put.error().message);
    }
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 3, milliseconds{1000});
  }
}

// Among many writers, waiting a little at random lets one of them through instead of all of them lose.
void let_others_pass(int races) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const int at_most_ms = 1 << std::min(races, 5);
  std::this_thread::sleep_for(std::chrono::microseconds(random() % static_cast<unsigned>(at_most_ms * 1000)));
}

// What was given as read, or what is there now; nothing where there is no table.
Result<std::optional<Snapshot>> starting_point(object::Store& store, const Append& append) {
  if (append.base) {
    // A commit may only follow one that is there: where the base's is not, the log was cleaned or the table made anew.
    if (store.stat(commit_name(append.table, append.base->version))) return append.base;
  }
  auto snapshot = read_snapshot(store, append.table);
  if (snapshot) return std::move(*snapshot);
  if (snapshot.error().code == Code::not_found && !append.base) return std::nullopt;
  return pass(snapshot.error());
}

// Did others add files to what was read?
bool grew(const std::optional<Snapshot>& base, const Snapshot& now) {
  return base ? !added_since(*base, now).empty() : !now.files.empty();
}

bool same_rules(const std::optional<Snapshot>& base, const Snapshot& now) {
  return !base || (base->protocol == now.protocol && base->metadata == now.metadata);
}

Snapshot after_commit(const std::optional<Snapshot>& before, int64_t version, Actions actions) {
  Replay replay = before ? Replay(*before) : Replay();
  replay.apply(version, std::move(actions), 0);
  auto snapshot = std::move(replay).finish("");
  // It was read, or made by us, and passed all checks; our own actions change none of them.
  if (!snapshot) std::abort();
  return std::move(*snapshot);
}

void checkpoint_if_due(object::Store& store, const std::string& table, Snapshot& snapshot) {
  if (!checkpoint_due(snapshot)) return;
  const auto written = write_checkpoint(store, table, snapshot);
  if (written) snapshot.checkpoint_version = snapshot.version;
  else
    warn("delta: {} has no checkpoint at version {}; it is read from its commits: {}", table, snapshot.version,
         written.error().message);
}

}  // namespace

Result<Outcome> append(object::Store& store, const Append& append) {
  if (auto valid = check_request(append); !valid) return pass(valid.error());
  auto start = starting_point(store, append);
  if (!start) return pass(start.error());
  std::optional<Snapshot> snapshot = std::move(*start);
  const std::string id = new_uuid();
  if (append.base && snapshot && !same_rules(append.base, *snapshot)) {
    return fail(Code::conflict, "the schema or protocol of {} changed since version {}: read it again", append.table,
                append.base->version);
  }
  for (int races = 0; races <= kMaxRaces; ++races) {
    if (snapshot) {
      if (snapshot->txn_version(append.txn.app_id) >= append.txn.version) {
        const int64_t version = snapshot->version;
        return Outcome{Outcome::Kind::already_done, version, std::move(*snapshot)};
      }
      if (append.has_read && grew(append.base, *snapshot)) {
        const int64_t version = snapshot->version;
        return Outcome{Outcome::Kind::raced, version, std::move(*snapshot)};
      }
      if (auto fits = check_table(append, *snapshot); !fits) return pass(fits.error());
    }
    auto actions = actions_for(append, snapshot, id);
    if (!actions) return pass(actions.error());
    const int64_t version = snapshot ? snapshot->version + 1 : 0;
    const auto put = put_entry(store, commit_name(append.table, version), write_actions(*actions), id);
    if (!put) return pass(put.error());
    if (*put == Put::ours) {
      Outcome outcome{Outcome::Kind::committed, version, after_commit(snapshot, version, std::move(*actions))};
      checkpoint_if_due(store, append.table, outcome.snapshot);
      return outcome;
    }
    let_others_pass(races);
    auto now = snapshot ? refresh(store, append.table, *snapshot) : read_snapshot(store, append.table);
    if (!now) return pass(now.error());
    if (!same_rules(snapshot, *now)) {
      return fail(Code::conflict, "the schema or protocol of {} was changed by its version {} or before: read it again",
                  append.table, now->version);
    }
    snapshot = std::move(*now);
  }
  return fail(Code::conflict, "{} was committed to by others {} times in a row: try again later", append.table,
              kMaxRaces);
}

}  // namespace pinflow::delta
