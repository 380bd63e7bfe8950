#include "stream/plan.h"

#include <simdjson.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "object/numbered.h"

namespace pinflow::stream {
namespace {

constexpr std::string_view kFolder = "state/plans/stream/";

// Throws simdjson_error where something is missing or of another type.
std::string text_in(const simdjson::dom::object& object, const char* key) {
  return std::string(std::string_view(object[key]));
}
int64_t number_in(const simdjson::dom::object& object, const char* key) { return int64_t(object[key]); }
bool mark_in(const simdjson::dom::object& object, const char* key) {  // absent: false
  const auto mark = object[key];
  return mark.error() != simdjson::NO_SUCH_FIELD && bool(mark);
}

Plan plan_in(const simdjson::dom::object& json) {
  Plan plan;
  plan.number = number_in(json, "plan");
  plan.pipeline = text_in(json, "pipeline");
  plan.feed = text_in(json, "feed");
  plan.identity = {text_in(json, "place"), text_in(json, "id")};
  plan.date = text_in(json, "date");
  plan.made_ms = number_in(json, "made_ms");
  plan.unrouted = number_in(json, "unrouted");
  plan.first = mark_in(json, "first");
  plan.anew = mark_in(json, "anew");
  plan.recleaned = mark_in(json, "recleaned");
  for (const simdjson::dom::object table : simdjson::dom::array(json["tables"])) {
    plan.tables.push_back({text_in(table, "record"), text_in(table, "table"), text_in(table, "cleaning"),
                           number_in(table, "records"), number_in(table, "last")});
    if (table["id"].error() != simdjson::NO_SUCH_FIELD) plan.tables.back().id = text_in(table, "id");
  }
  for (const simdjson::dom::object shard : simdjson::dom::array(json["shards"])) {
    plan.shards.push_back({text_in(shard, "shard"), text_in(shard, "from"), text_in(shard, "to"),
                           number_in(shard, "records"), bool(shard["ended"]), number_in(shard, "complete_ms")});
  }
  return plan;
}

}  // namespace

int64_t Plan::records() const {
  int64_t sum = 0;
  for (const PlannedShard& shard : shards) sum += shard.records;
  return sum;
}

const PlannedTable* Plan::find(std::string_view record) const {
  const auto found = std::ranges::find(tables, record, &PlannedTable::record);
  return found == tables.end() ? nullptr : &*found;
}

std::map<std::string, Progress> Plan::progress() const {
  std::map<std::string, Progress> progress;
  for (const PlannedShard& shard : shards) progress[shard.shard] = {shard.to, shard.ended, shard.complete_ms};
  return progress;
}

std::string write_plan(const Plan& plan) {
  JsonWriter json;
  json.begin_object();
  json.key("plan").number(plan.number);
  json.key("pipeline").string(plan.pipeline);
  json.key("feed").string(plan.feed);
  json.key("place").string(plan.identity.place).key("id").string(plan.identity.id);
  json.key("date").string(plan.date);
  json.key("made").string(iso_time(plan.made_ms)).key("made_ms").number(plan.made_ms);
  json.key("unrouted").number(plan.unrouted);
  for (const auto& [key, is] : {std::pair{"first", plan.first}, {"anew", plan.anew}, {"recleaned", plan.recleaned}}) {
    if (is) json.key(key).boolean(true);
  }
  json.key("tables").begin_array();
  for (const PlannedTable& table : plan.tables) {
    json.begin_object().key("record").string(table.record).key("table").string(table.table);
    json.key("cleaning").string(table.cleaning);
    json.key("records").number(table.records).key("last").number(table.last);
    if (table.id) json.key("id").string(*table.id);
    json.end_object();
  }
  json.end_array().key("shards").begin_array();
  for (const PlannedShard& shard : plan.shards) {
    json.begin_object().key("shard").string(shard.shard);
    json.key("from").string(shard.from).key("to").string(shard.to);
    json.key("records").number(shard.records).key("ended").boolean(shard.ended);
    json.key("complete_ms").number(shard.complete_ms).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<Plan> parse_plan(std::string_view json, std::string_view source) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  try {
    return plan_in(parser.parse(padded));
  } catch (const simdjson::simdjson_error& fault) {
    return corrupt("{}: not a plan of a stream: {}", source, fault.what());
  }
}

std::string plan_folder(std::string_view feed) { return fmt::format("{}{}/", kFolder, feed); }
std::string plan_name(std::string_view feed, int64_t number) {
  return object::numbered_name(plan_folder(feed), number);
}

Result<std::vector<int64_t>> list_plans(object::Store& store, std::string_view feed) {
  auto numbers = object::list_numbers(store, plan_folder(feed), "a plan");
  if (!numbers) return pass(numbers.error(), "listing the plans of {}", feed);
  return numbers;
}

Result<Plan> read_plan(object::Store& store, std::string_view feed, int64_t number) {
  const std::string name = plan_name(feed, number);
  const auto text = store.get(name);
  if (!text) return pass(text.error(), "plan {} of {}", number, feed);
  auto plan = parse_plan(*text, store.url() + "/" + name);
  if (plan && (plan->number != number || plan->feed != feed)) {
    return corrupt("{}/{}: it holds plan {} of {}", store.url(), name, plan->number, plan->feed);
  }
  return plan;
}

Result<> put_plan(object::Store& store, const Plan& plan) {
  const std::string text = write_plan(plan);
  const std::string name = plan_name(plan.feed, plan.number);
  if (const auto put = store.put_if_absent(name, text); !put) {
    // Taken, or an answer that was lost: what is there now tells.
    if (put.error().code != Code::already_exists && put.error().code != Code::unavailable) {
      return pass(put.error(), "putting plan {} of {}", plan.number, plan.feed);
    }
    const auto there = store.get(name);
    if (!there) return pass(put.error(), "putting plan {} of {}", plan.number, plan.feed);
    if (*there != text) {
      return fail(Code::conflict, "plan {} of {} was made by another worker", plan.number, plan.feed);
    }
  }
  if (plan.first || plan.number == 1) return {};
  const auto before = store.stat(plan_name(plan.feed, plan.number - 1));
  if (before) return {};
  if (before.error().code != Code::not_found)
    return pass(before.error(), "putting plan {} of {}", plan.number, plan.feed);
  return fail(Code::conflict, "plan {} of {} was carried out long ago by another worker", plan.number, plan.feed);
}

Result<> put_recleaned(object::Store& store, const Plan& plan) {
  if (auto put = store.put(plan_name(plan.feed, plan.number), write_plan(plan)); !put)
    return pass(put.error(), "putting plan {} of {} with its new cleaning", plan.number, plan.feed);
  return {};
}

int64_t remove_old_plans(object::Store& store, std::string_view feed, int64_t first,
                         const std::vector<int64_t>& there) {
  const int64_t keep_from = there.empty() ? 0 : there.back() - kKeptPlans;
  for (const int64_t number : there) {
    if (number == first) continue;
    if (number >= keep_from) break;
    if (auto gone = store.remove(plan_name(feed, number)); !gone) {
      debug("stream: {}", gone.error().message);
      break;
    }
  }
  return std::max<int64_t>(first + 1, keep_from);
}

}  // namespace pinflow::stream
