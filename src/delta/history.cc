#include <simdjson.h>

#include <set>

#include "delta/log_names.h"
#include "delta/table.h"

namespace pinflow::delta {
namespace {

std::string operation_of(const std::string& commit_info) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view operation;
  if (commit_info.empty() || parser.parse(commit_info).get(root) != simdjson::SUCCESS) return {};
  return root["operation"].get_string().get(operation) == simdjson::SUCCESS ? std::string(operation) : std::string();
}

HistoryEntry entry_of(int64_t version, Actions actions, int64_t file_time_ms) {
  HistoryEntry entry;
  entry.version = version;
  entry.timestamp_ms = actions.timestamp_ms().value_or(file_time_ms);
  entry.operation = operation_of(actions.commit_info);
  entry.files_added = static_cast<int64_t>(actions.added.size());
  entry.files_removed = static_cast<int64_t>(actions.removed.size());
  entry.records_added = 0;
  for (const DataFile& file : actions.added) {
    if (file.records < 0) {
      entry.records_added = -1;
      break;
    }
    entry.records_added += file.records;
  }
  entry.commit_info = std::move(actions.commit_info);
  entry.txns = std::move(actions.txns);
  return entry;
}

}  // namespace

Result<std::vector<HistoryEntry>> history(object::Store& store, const std::string& table, size_t limit) {
  const auto objects = store.list(log_folder(table));
  if (!objects) return pass(objects.error(), "listing the log of {}", table);
  const LogListing listing = sort_listing(table, *objects);
  if (listing.empty()) return not_found("there is no Delta table at {}/{}", store.url(), table);
  std::vector<HistoryEntry> entries;
  for (auto commit = listing.commits.rbegin(); commit != listing.commits.rend() && entries.size() < limit; ++commit) {
    const auto bytes = store.get(commit->second.name);
    if (!bytes && bytes.error().code == Code::not_found) break;  // cleaned meanwhile, with all before it
    if (!bytes) return pass(bytes.error(), "reading {}", commit->second.name);
    auto actions = parse_actions(*bytes, commit->second.name);
    if (!actions) return pass(actions.error());
    entries.push_back(entry_of(commit->first, std::move(*actions), commit->second.modified_ms));
  }
  return entries;
}

Result<std::vector<std::string>> list_tables(object::Store& store, const std::string& folder) {
  const auto objects = store.list(folder + "/");
  if (!objects) return pass(objects.error(), "listing the tables in {}", folder);
  std::set<std::string> tables;
  for (const object::ObjectInfo& object : *objects) {
    const std::string_view rest = std::string_view(object.name).substr(folder.size() + 1);
    const size_t log = rest.find("/_delta_log/");
    if (log != std::string_view::npos && rest.find('/') == log) tables.emplace(rest.substr(0, log));
  }
  return std::vector<std::string>(tables.begin(), tables.end());
}

}  // namespace pinflow::delta
