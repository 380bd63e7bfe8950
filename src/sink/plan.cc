#include "sink/plan.h"

#include <simdjson.h>

#include "base/json.h"

namespace pinflow::sink {

std::string plan_text(const Plan& plan) {
  JsonWriter json;
  json.begin_object().key("first").number(plan.first).key("next").number(plan.next);
  json.key("wallclock_ms").number(plan.wallclock_ms).key("settings").string(plan.settings);
  json.key("dead").number(plan.dead).key("objects").begin_array();
  for (const PlannedObject& object : plan.objects)
    json.begin_object().key("name").string(object.name).key("records").number(object.records).end_object();
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<Plan> parse_plan(std::string_view text) {
  using simdjson::SUCCESS;
  simdjson::dom::parser parser;
  Plan plan;
  std::string_view settings;
  simdjson::dom::array objects;
  const auto parsed = parser.parse(text.data(), text.size());
  bool good = !parsed.error() && parsed["first"].get(plan.first) == SUCCESS &&
              parsed["next"].get(plan.next) == SUCCESS && parsed["wallclock_ms"].get(plan.wallclock_ms) == SUCCESS &&
              parsed["settings"].get(settings) == SUCCESS && parsed["dead"].get(plan.dead) == SUCCESS &&
              parsed["objects"].get(objects) == SUCCESS && plan.first >= 0 && plan.next > plan.first;
  if (good) {
    plan.settings = settings;
    for (const auto object : objects) {
      std::string_view name;
      PlannedObject one;
      good = good && object["name"].get(name) == SUCCESS && object["records"].get(one.records) == SUCCESS;
      one.name = name;
      plan.objects.push_back(std::move(one));
    }
  }
  if (!good) return corrupt("no plan of a generation: {:.200}", text);
  return plan;
}

std::string plan_prefix(std::string_view topic, int32_t partition) {
  return fmt::format("state/sink/{}/partition={}/", topic, partition);
}

std::string plan_name(std::string_view topic, int32_t partition, int64_t first) {
  return fmt::format("{}{:020}.json", plan_prefix(topic, partition), first);
}

int64_t Generation::size() const {
  int64_t size = 0;
  for (const std::string& one : bytes) size += static_cast<int64_t>(one.capacity());
  for (const PlannedObject& object : plan.objects) size += static_cast<int64_t>(sizeof object + object.name.size());
  for (const kafka::NewRecord& record : dead_records) {
    size += static_cast<int64_t>(sizeof record + (record.key ? record.key->size() : 0) +
                                 (record.value ? record.value->size() : 0));
    for (const kafka::Header& header : record.headers)
      size += static_cast<int64_t>(sizeof header + header.name.size() + (header.value ? header.value->size() : 0));
  }
  return size;
}

}  // namespace pinflow::sink
