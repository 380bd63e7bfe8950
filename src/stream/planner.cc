#include "stream/planner.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace pinflow::stream {
namespace {

constexpr int64_t kForgetEnded = 370LL * 24 * 3'600'000;  // ms; longer than any stream keeps its records

PlannedTable table_of(const Target& target, int64_t records, const Plan* before, int64_t number) {
  const pipeline::RecordType& record = target.record();
  PlannedTable table{record.name, record.stream_table, target.cleaning_digest(), records, number, target.table_id()};
  if (records > 0) return table;
  const PlannedTable* known = before == nullptr ? nullptr : before->find(record.name);
  if (known != nullptr && known->table != record.stream_table) known = nullptr;
  // A plan that was given up is not in its table.
  table.last = known == nullptr ? 0 : std::min(known->last, std::max<int64_t>(target.done(), 0));
  return table;
}

}  // namespace

Plan plan_of(const Workplace& place, const Batch& batch, const Reading& reading, const Plan* before, int64_t number,
             const std::map<std::string, Progress>& progress) {
  Plan plan;
  plan.number = number;
  plan.first = before == nullptr;
  plan.pipeline = place.pipeline.id;
  plan.feed = place.feed;
  plan.identity = reading.identity();
  plan.made_ms = now_ms();
  plan.date = iso_time(plan.made_ms).substr(0, 10);
  plan.unrouted = static_cast<int64_t>(batch.unrouted().size());
  for (size_t type = 0; type < place.targets().size(); ++type) {
    const auto records = static_cast<int64_t>(batch.of_type(type).size());
    plan.tables.push_back(table_of(*place.targets()[type], records, before, number));
  }
  const auto complete = reading.complete_ms_by_shard();
  std::map<std::string, PlannedShard> shards;
  for (const auto& [shard, where] : progress) {
    if (where.ended && where.complete_ms > 0 && where.complete_ms < plan.made_ms - kForgetEnded) continue;
    shards[shard] = {shard, where.after, where.after, 0, where.ended, where.complete_ms};
  }
  for (const auto& [shard, added] : batch.shards()) {
    PlannedShard& planned = shards[shard];
    planned.shard = shard;
    if (!added.to.empty()) planned.to = added.to;
    planned.records = added.records;
    planned.ended = planned.ended || added.ended;
    if (added.ended) planned.complete_ms = plan.made_ms;
  }
  for (auto& [shard, planned] : shards) {
    const auto known = complete.find(shard);
    if (!planned.ended && known != complete.end()) planned.complete_ms = std::max(planned.complete_ms, known->second);
    plan.shards.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace pinflow::stream
