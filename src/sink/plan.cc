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

int64_t memory_of(const OpenFile& file) {
  return static_cast<int64_t>(sizeof file + file.folder.capacity() + file.lines.value.capacity() +
                              file.lines.keys.capacity() + file.lines.headers.capacity());
}

int64_t memory_of(const kafka::NewRecord& record) {
  size_t size = sizeof record + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const kafka::Header& header : record.headers)
    size += sizeof header + header.name.size() + (header.value ? header.value->size() : 0);
  return static_cast<int64_t>(size);
}

int64_t Generation::memory() const {
  size_t size = sizeof *this + dead_lines.capacity();
  for (const PlannedObject& object : plan.objects) size += sizeof object + object.name.capacity();
  for (const std::string& one : bytes) size += sizeof one + one.capacity();
  for (const OpenFile& file : files) size += static_cast<size_t>(memory_of(file));
  for (const kafka::NewRecord& record : dead_records) size += static_cast<size_t>(memory_of(record));
  return static_cast<int64_t>(size);
}

int64_t Generation::payload() const {
  int64_t bytes = 0;
  for (const OpenFile& file : files) bytes += file.lines.bytes();
  return bytes;
}

}  // namespace pinflow::sink
