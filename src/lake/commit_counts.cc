#include "lake/commit_counts.h"

#include <simdjson.h>

#include <algorithm>

#include "base/json.h"
#include "delta/table.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

// How many commits are looked through: first what is likely, then all that a log can be expected to hold.
constexpr size_t kLikely = 50;
constexpr size_t kAll = 1'000'000;

std::string text_in(const simdjson::dom::object& object, const char* key) {
  return std::string(std::string_view(object[key]));
}
int64_t number_in(const simdjson::dom::object& object, const char* key) { return int64_t(object[key]); }

CommitCounts counts_in(const simdjson::dom::object& json) {
  CommitCounts counts{number_in(json, "plan"), text_in(json, "date"), {}};
  for (const simdjson::dom::object record : simdjson::dom::array(json["records"])) {
    CommitCounts::Record& each = counts.records.emplace_back();
    each.cleaning = text_in(record, "cleaning");
    each.counts = {text_in(record, "record"),
                   {},
                   number_in(record, "raw"),
                   number_in(record, "clean"),
                   number_in(record, "duplicates"),
                   number_in(record, "dead"),
                   number_in(record, "before"),
                   number_in(record, "after"),
                   {}};
    int64_t missing = 0;  // older commits do not say
    if (record["missing"].get(missing) == simdjson::SUCCESS) each.counts.missing = missing;
    for (const auto& [name, value] : simdjson::dom::object(record["noted"])) {
      each.counts.noted.emplace_back(std::string(name), int64_t(value));
    }
  }
  return counts;
}

}  // namespace

std::string write_counts(const CommitCounts& counts) {
  JsonWriter json;
  json.begin_object().key("pinflow").begin_object();
  json.key("plan").number(counts.plan);
  json.key("date").string(counts.date);
  json.key("records").begin_array();
  for (const auto& [record, cleaning] : counts.records) {
    json.begin_object();
    json.key("record").string(record.record);
    json.key("cleaning").string(cleaning);
    json.key("raw").number(record.raw);
    json.key("clean").number(record.clean);
    json.key("duplicates").number(record.duplicates);
    json.key("dead").number(record.dead);
    json.key("before").number(record.before);
    json.key("after").number(record.after);
    json.key("missing").number(record.missing);
    json.key("noted").begin_object();
    for (const auto& [name, count] : record.noted) json.key(name).number(count);
    json.end_object().end_object();
  }
  json.end_array().end_object().end_object();
  return json.take();
}

std::optional<CommitCounts> parse_counts(std::string_view commit_info) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(commit_info);
  try {
    return counts_in(parser.parse(padded)["pinflow"]);
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
}

std::string app_id(const std::string& pipeline, const std::string& table) {
  return "pinflow:" + pipeline + ":batch:" + table;
}

Result<std::optional<CommitCounts>> find_counts(object::Store& store, const std::string& pipeline,
                                                const std::string& table, int64_t plan) {
  const std::string app = app_id(pipeline, table);
  for (const size_t limit : {kLikely, kAll}) {
    const auto commits = delta::history(store, table_folder(table), limit);
    if (!commits) return pass(commits.error(), "table {}", table);
    for (const delta::HistoryEntry& commit : *commits) {
      const auto ours = std::ranges::find(commit.txns, app, &delta::Txn::app_id);
      if (ours != commit.txns.end() && ours->version == plan) return parse_counts(commit.commit_info);
    }
    if (commits->size() < limit) break;
  }
  return std::nullopt;
}

void add_counts(RecordReport& sum, const RecordReport& one) {
  sum.raw += one.raw;
  sum.clean += one.clean;
  sum.duplicates += one.duplicates;
  sum.dead += one.dead;
  sum.missing += one.missing;
  for (const auto& [name, count] : one.noted) {
    const auto known = std::ranges::find(sum.noted, name, &std::pair<std::string, int64_t>::first);
    if (known != sum.noted.end()) known->second += count;
    else sum.noted.emplace_back(name, count);
  }
}

}  // namespace pinflow::lake
