#include "sink/plan_reader.h"

namespace pinflow::sink {

Result<std::optional<Plan>> last_plan(object::Store& store, std::string_view topic, int32_t partition, int64_t near) {
  const std::string prefix = plan_prefix(topic, partition);
  // Names are as long as the offsets are wide, so they sort by their offsets.
  auto listed = store.list(prefix, near > 0 ? plan_name(topic, partition, near - 1) : std::string());
  if (listed && listed->empty() && near > 0) listed = store.list(prefix);
  if (!listed) return pass(listed.error());
  if (listed->empty()) return std::nullopt;
  const std::string& name = listed->back().name;
  auto text = store.get(name);
  if (!text) return pass(text.error());
  auto plan = parse_plan(*text);
  if (!plan) return pass(plan.error(), "{}/{}", store.url(), name);
  if (plan_name(topic, partition, plan->first) != name)
    return corrupt("{}/{}: the plan is of offset {}: it was moved there", store.url(), name, plan->first);
  return std::move(*plan);
}

Result<bool> is_finished(object::Store& store, const Plan& plan, bool dead_letter_topic) {
  if (dead_letter_topic && plan.dead > 0) return false;
  for (const PlannedObject& object : plan.objects) {
    auto there = store.stat(object.name);
    if (there) continue;
    if (there.error().code == Code::not_found) return false;
    return pass(there.error());
  }
  return true;
}

}  // namespace pinflow::sink
