#include "lake/owners.h"

#include <simdjson.h>

#include "base/json.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

Result<std::string> owner_in(std::string_view text, const std::string& name) {
  simdjson::dom::parser parser;
  std::string_view owner;
  if (parser.parse(simdjson::padded_string(text))["owner"].get(owner) != simdjson::SUCCESS)
    return corrupt("{} names no owner", name);
  return std::string(owner);
}

Result<> judge(const std::string& table, std::string_view owner, std::string_view there) {
  if (owner == there) return {};
  return fail(Code::conflict,
              "the table {} is fed by {}, and stays so: how far that has come is kept there alone. Name other tables "
              "(stream_table) for this engine, or go on with the other one{}",
              table, there == kOwnedBySpark ? "a query on Spark" : "pinflow's own stream workers",
              there == kOwnedBySpark ? " (--engine sc://…)" : " (--engine duckdb)");
}

}  // namespace

Result<> claim_stream_table(object::Store& store, const std::string& table, std::string_view owner) {
  const std::string name = "state/owners/" + table + ".json";
  auto text = store.get(name);
  if (!text && text.error().code != Code::not_found) return pass(text.error());
  if (!text) {
    std::string first(owner);
    if (owner != kOwnedHere) {
      const auto snapshot = find_snapshot(store, table);
      if (!snapshot) return pass(snapshot.error());
      if (*snapshot) first = kOwnedHere;
    }
    JsonWriter json;
    json.begin_object().key("table").string(table).key("owner").string(first).end_object();
    if (auto put = store.put_if_absent(name, json.text() + "\n"); !put && put.error().code != Code::already_exists)
      return pass(put.error());
    text = store.get(name);
    if (!text) return pass(text.error());
  }
  const auto there = owner_in(*text, name);
  if (!there) return pass(there.error());
  return judge(table, owner, *there);
}

}  // namespace pinflow::lake
