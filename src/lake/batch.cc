#include "lake/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/shutdown.h"
#include "lake/commit_counts.h"
#include "lake/plan_run.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

constexpr const char* kSteps[] = {"plan", "clean", "dead letters", "tables", "commit", "answers"};

// The last plan that each table has, by its name; -1: none.
Result<std::map<std::string, int64_t>> progress_of(object::Store& store, const pipeline::Pipeline& pipeline) {
  std::map<std::string, int64_t> last{{kDeadTable, -1}};
  for (const pipeline::RecordType& record : pipeline.records) last[record.table] = -1;
  for (auto& [table, plan] : last) {
    const auto snapshot = find_snapshot(store, table);
    if (!snapshot) return pass(snapshot.error());
    if (*snapshot) plan = (*snapshot)->txn_version(app_id(pipeline.id, table));
  }
  return last;
}

// A table that has a later plan than there are would take a new plan of that number for done, and its rows were lost.
Result<> check_plans_are_there(object::Store& store, const std::map<std::string, int64_t>& last, int64_t newest) {
  for (const auto& [table, plan] : last) {
    if (plan <= newest) continue;
    const auto there = store.stat(plan_name(plan));  // made by another process since the plans were listed?
    if (there) continue;
    if (there.error().code != Code::not_found) return pass(there.error(), "plan {}", plan);
    return fail(Code::conflict,
                "{}: the table {} has plan {}, but {} is not there: the lake's state was deleted, its tables were not. "
                "Put state/plans back; or delete the folder tables/ too, and all is made again of the objects",
                store.url(), table, plan, plan_name(plan));
  }
  return {};
}

// The lowest plan that some table of it (or the table of the record type `only`) lacks; nothing where all are done.
// Tables take plans in order, so the search goes back from the newest until one is done by all.
Result<std::optional<Plan>> unfinished(object::Store& store, const pipeline::Pipeline& pipeline,
                                       const std::vector<int64_t>& numbers, const std::string& only) {
  const auto last = progress_of(store, pipeline);
  if (!last) return pass(last.error());
  if (auto there = check_plans_are_there(store, *last, numbers.empty() ? 0 : numbers.back()); !there)
    return pass(there.error());
  std::optional<Plan> lowest;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    auto plan = read_plan(store, *number);
    if (!plan) return pass(plan.error());
    if (plan->pipeline != pipeline.id) {
      return fail(Code::conflict,
                  "{}: plan {} is of the pipeline '{}', not '{}': each pipeline needs a lake of its own", store.url(),
                  *number, plan->pipeline, pipeline.id);
    }
    bool done = last->at(kDeadTable) >= *number;
    for (const TopicPlan& topic : plan->topics) {
      const pipeline::RecordType* record = pipeline.find_record(topic.record);
      if (record != nullptr && (only.empty() || only == record->name))
        done = done && last->at(record->table) >= *number;
    }
    if (done) break;
    lowest = std::move(*plan);
  }
  return lowest;
}

// What to do next: an unfinished plan, or a new one, which is put; nothing where there is nothing new. `more`: whether
// another plan should be asked for after this one.
Result<std::optional<Plan>> choose(object::Store& store, const pipeline::Pipeline& pipeline,
                                   const BatchOptions& options, bool& more) {
  const auto numbers = list_plans(store);
  if (!numbers) return pass(numbers.error());
  for (size_t i = 0; i < numbers->size(); ++i) {
    if ((*numbers)[i] != static_cast<int64_t>(i) + 1) return corrupt("{}: plan {} is missing", store.url(), i + 1);
  }
  auto left = unfinished(store, pipeline, *numbers, options.record);
  if (!left || *left) {
    more = true;
    return left;
  }
  std::optional<Plan> last;
  if (!numbers->empty()) {
    auto plan = read_plan(store, numbers->back());
    if (!plan) return pass(plan.error());
    last = std::move(*plan);
  }
  const std::string date = options.date.empty() ? iso_time(now_ms()).substr(0, 10) : options.date;
  auto proposed = next_plan(store, pipeline, last, date, options.plan_bytes);
  if (!proposed) return pass(proposed.error());
  if (proposed->plan.empty()) return std::nullopt;
  more = proposed->more;
  auto put = put_plan(store, proposed->plan);
  if (!put) return pass(put.error());
  return std::move(*put);
}

Result<BatchReport> begin_report(object::Store& store, const pipeline::Pipeline& pipeline) {
  BatchReport report;
  for (const pipeline::RecordType& record : pipeline.records) {
    const auto snapshot = find_snapshot(store, record.table);
    if (!snapshot) return pass(snapshot.error());
    RecordReport& each = report.records.emplace_back();
    each.record = record.name;
    each.table = record.table;
    each.before = each.after = *snapshot ? (*snapshot)->records() : 0;
  }
  return report;
}

void add_plan(BatchReport& report, const Plan& plan, const std::vector<RecordReport>& counts) {
  const bool first = report.plans.empty();
  report.plans.push_back(plan.number);
  for (const RecordReport& one : counts) {
    const auto sum = std::ranges::find(report.records, one.record, &RecordReport::record);
    add_counts(*sum, one);
    if (first) sum->before = one.before;
    sum->after = one.after;
  }
}

Result<> answer(const pipeline::Pipeline& pipeline, object::Store& store, const BatchOptions& options,
                BatchReport& report) {
  QueryOptions asked;
  asked.date = options.date;
  asked.memory_bytes = options.memory_bytes;
  asked.threads = options.threads;
  asked.checks = true;
  asked.progress = options.progress;
  asked.spark = options.spark;
  auto answers = run_queries(pipeline, store, {}, asked);
  if (!answers) return pass(answers.error());
  if (any_failed(answers->checks)) {
    report.answers = std::move(*answers);
    return {};
  }
  const auto numbers = list_plans(store);
  if (!numbers) return pass(numbers.error());
  const int64_t plan = numbers->empty() ? 0 : numbers->back();
  if (auto stored = store_answers(store, fmt::format("batch-{:010}", plan), *answers); !stored) return stored;
  report.answers = std::move(*answers);
  return {};
}

}  // namespace

Result<BatchReport> run_batch(const pipeline::Pipeline& pipeline, object::Store& store, const BatchOptions& options) {
  auto report = begin_report(store, pipeline);
  if (!report) return pass(report.error());
  std::unique_ptr<Workshop> shop;
  std::map<std::string, double> seconds;
  if (!options.record.empty() && pipeline.find_record(options.record) == nullptr)
    return not_found("the pipeline has no record type '{}'", options.record);
  for (bool more = options.tables; more;) {
    if (stop_requested()) return fail(Code::cancelled, "the batch was stopped; what is committed stays");
    const Stopwatch clock;
    const auto plan = choose(store, pipeline, options, more);
    seconds["plan"] += clock.seconds();
    if (!plan) return pass(plan.error());
    if (!*plan) break;
    if (shop == nullptr) {
      auto opened = Workshop::open(pipeline, store, options);
      if (!opened) return pass(opened.error());
      shop = std::move(*opened);
    }
    const auto counts = PlanRun(*shop, **plan).run();
    if (!counts) return pass(counts.error());
    add_plan(*report, **plan, *counts);
  }
  if (shop != nullptr) seconds.merge(shop->seconds);
  shop.reset();  // its memory, before the queries take theirs
  if (options.answers) {
    const Stopwatch clock;
    if (auto answered = answer(pipeline, store, options, *report); !answered) return pass(answered.error());
    seconds["answers"] = clock.seconds();
  }
  for (const char* step : kSteps) {
    if (seconds.contains(step)) report->seconds.emplace_back(step, seconds[step]);
  }
  return report;
}

}  // namespace pinflow::lake
