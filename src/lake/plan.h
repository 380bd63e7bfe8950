// A plan is what one run of the batch takes: an immutable file, put before any work is done, so that whoever finishes
// the work, whenever, does the same work.
//
//   state/plans/batch/0000000003.json
//   {"plan":3,"pipeline":"pinterest","date":"2026-11-20","made":"2026-11-20T23:06:31.123Z","topics":[
//     {"record":"pin","topic":"local.pin","cluster_id":"…","topic_id":"…","cleaning":"<SHA-256>",
//      "partitions":[{"partition":0,"from":0,"to":11154,"objects":2,"bytes":7300000}]}]}
//
// Ranges are of offsets, `to` exclusive, whatever objects hold them: an object that reaches over an end of the range is
// read in part. Partitions with nothing new stand there too (from = to), so that the next plan needs only this one.
// Plan N + 1 is made when every table has N.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "lake/objects.h"
#include "object/store.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

struct PartitionRange {
  int32_t partition = 0;
  int64_t from = 0;
  int64_t to = 0;       // the end of the last object when the plan was made
  int64_t objects = 0;  // that held records of the range then
  int64_t bytes = 0;    // of them
  bool operator==(const PartitionRange&) const = default;
};

struct TopicPlan {
  std::string record;  // the record type's name
  std::string topic;
  TopicIdentity identity;
  std::string cleaning;  // digest_of the record type when the plan was made
  std::vector<PartitionRange> partitions;
  bool operator==(const TopicPlan&) const = default;

  int64_t bytes() const;
};

struct Plan {
  int64_t number = 0;
  std::string pipeline;
  std::string date;  // what $date stands for in the cleanings: a label
  int64_t made_ms = 0;
  std::vector<TopicPlan> topics;
  bool operator==(const Plan&) const = default;

  bool empty() const;  // no range holds anything
  const TopicPlan* find(std::string_view record) const;
};

// What decides how a record is cleaned: its fields, the SQL, the preludes, the table's columns.
std::string digest_of(const pipeline::Pipeline& pipeline, const pipeline::RecordType& record);

std::string write_plan(const Plan& plan);
Result<Plan> parse_plan(std::string_view json, std::string_view source);  // corrupt

std::string plan_name(int64_t number);

// The numbers of all plans, ascending.
Result<std::vector<int64_t>> list_plans(object::Store& store);
Result<Plan> read_plan(object::Store& store, int64_t number);  // not_found

// Bytes (but at least one object) and number of the objects that one plan takes of one topic: work and memory have a
// bound, and a long backlog is several plans.
inline constexpr int64_t kPlanBytes = 256 << 20;
inline constexpr int64_t kPlanObjects = 200'000;

// The plan after `last` (nothing: the first), of what the lake holds now; it is not put. Where nothing is new, it is
// empty(). conflict where a topic is another one than `last` was made of.
struct Proposal {
  Plan plan;
  bool more = false;  // the limits left objects for another plan
};
Result<Proposal> next_plan(object::Store& store, const pipeline::Pipeline& pipeline, const std::optional<Plan>& last,
                           const std::string& date, int64_t most_bytes = kPlanBytes);

// Puts the plan; where another process was faster, its plan of that number is what is answered.
Result<Plan> put_plan(object::Store& store, const Plan& plan);

}  // namespace pinflow::lake
