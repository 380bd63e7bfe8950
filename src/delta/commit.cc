#include "delta/commit.h"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <unordered_set>

#include "base/clock.h"
#include "base/json.h"
#include "delta/table.h"
#include "delta/uuid.h"
#include "delta/vacuum.h"

namespace pinflow::delta {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kEngine = "pinflow/0.1.0";

}  // namespace

std::string write_commit_info(const CommitInfo& info) {
  JsonWriter json;
  json.begin_object().key("timestamp").number(info.timestamp_ms).key("operation").string(info.operation);
  json.key("operationParameters").begin_object();
  for (const auto& [name, value] : info.parameters) json.key(name).string(value);
  json.end_object();
  if (info.read_version >= 0) json.key("readVersion").number(info.read_version);
  json.key("isBlindAppend").boolean(info.blind);
  // Other readers take the metrics' values as texts.
  json.key("operationMetrics").begin_object();
  for (const auto& [name, value] : info.metrics) json.key(name).string(std::to_string(value));
  json.end_object();
  std::string text = json.key("engineInfo").string(kEngine).key("txnId").string(info.id).end_object().take();
  const std::string_view extra = info.members;
  const size_t open = extra.find('{'), close = extra.rfind('}');
  if (open == std::string_view::npos) return text;
  const std::string_view members = extra.substr(open + 1, close - open - 1);
  if (members.find_first_not_of(" \t\r\n") == std::string_view::npos) return text;
  text.back() = ',';
  return text.append(members).append("}");
}

CommitInfo append_info(const std::vector<DataFile>& files, bool blind, int64_t read_version, const std::string& members,
                       std::string id, int64_t timestamp_ms) {
  int64_t rows = 0, bytes = 0;
  for (const DataFile& file : files) {
    rows += std::max<int64_t>(file.records, 0);
    bytes += file.size;
  }
  CommitInfo info;
  info.timestamp_ms = timestamp_ms;
  info.operation = "WRITE";
  info.parameters = {{"mode", "Append"}, {"partitionBy", "[]"}};
  info.read_version = read_version;
  info.blind = blind;
  info.metrics = {{"numFiles", static_cast<int64_t>(files.size())}, {"numOutputRows", rows}, {"numOutputBytes", bytes}};
  info.id = std::move(id);
  info.members = members;
  return info;
}

int64_t next_timestamp(int64_t before_ms) { return std::max(now_ms(), before_ms + 1); }

Result<> check_files(std::string_view table, const std::vector<DataFile>& files, const std::vector<Column>& columns,
                     const Txn& txn, const std::string& commit_info) {
  std::unordered_set<std::string_view> paths;
  const uint32_t mark = schema_mark(columns);
  const int64_t now = now_ms();
  for (const DataFile& file : files) {
    if (!paths.insert(file.path).second)
      return invalid("the file '{}' is given twice in one append to {}", file.path, table);
    if (file.held_against != mark)
      return invalid("the file '{}' was not held against the columns of the append to {}", file.path, table);
    if (file.modification_ms < now - kOldestFileMs) {
      return invalid("the file '{}' was put into {} {} hours ago and may have been cleaned away: write it again",
                     file.path, table, (now - file.modification_ms) / 3'600'000);
    }
  }
  if (txn.app_id.empty()) return invalid("an append to {} without an application id", table);
  if (commit_info.empty()) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(commit_info).get(root) != simdjson::SUCCESS || !root.is_object())
    return invalid("the commit information for {} is no JSON object", table);
  return {};
}

Result<Metadata> new_metadata(std::string_view table, const std::vector<Column>& columns) {
  auto schema = schema_to_json(columns);
  if (!schema) return pass(schema.error(), "making {}", table);
  Metadata metadata;
  metadata.id = new_uuid();
  metadata.schema_json = std::move(*schema);
  metadata.created_ms = now_ms();
  return metadata;
}

Result<std::string> fit_columns(std::string_view table, const Protocol& protocol, const Metadata& metadata,
                                const std::vector<Column>& columns) {
  if (auto writable = check_writable(protocol, metadata); !writable) return pass(writable.error(), "{}", table);
  const auto has = schema_from_json(metadata.schema_json);
  if (!has) return pass(has.error(), "{}", table);
  if (const std::string difference = schema_difference(*has, columns); !difference.empty())
    return invalid("the table {} {}", table, difference);
  if (has->size() == columns.size()) return std::string();
  return widen_schema(metadata.schema_json, columns);
}

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

void let_others_pass(int races, double put_ms) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  constexpr double kPuts = 4, kLeast = 1, kMost = 250;  // ms
  const double most = std::clamp(kPuts * put_ms, kLeast, kMost) / (1 << std::min(races, 6));
  std::this_thread::sleep_for(
      std::chrono::duration<double, std::milli>(std::uniform_real_distribution<double>(0, most)(random)));
}

}  // namespace pinflow::delta
