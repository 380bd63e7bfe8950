// One plan of a stream carried out: cleaned, its dead letters committed, then its tables. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/writer.h"
#include "lake/batch.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "stream/batch.h"
#include "stream/dead_letters.h"
#include "stream/engine.h"
#include "stream/plan.h"
#include "stream/target.h"

namespace pinflow::stream {

// What the plans of one stream's worker share; opened anew where something went wrong.
class Workplace {
 public:
  // Opens the tables. invalid, unsupported, conflict as of delta::TableWriter::open.
  static Result<std::unique_ptr<Workplace>> open(const pipeline::Pipeline& pipeline, object::Store& store,
                                                 Engine& engine, const Routes& routes, const std::string& feed,
                                                 const std::string& name);

  Target* find(std::string_view record);
  const std::vector<std::unique_ptr<Target>>& targets() const { return targets_; }
  // Every table that the plan has records for has it; where all its records are of no type, the dead letters have.
  bool has(const Plan& plan);
  // No table has it, nor have the dead letters.
  bool has_nothing_of(const Plan& plan);
  Result<sql::Connection*> sql();
  delta::TableWriter& dead() { return *dead_; }

  const pipeline::Pipeline& pipeline;
  object::Store& store;
  Engine& engine;
  const Routes& routes;
  const std::string feed;  // its key
  const std::string name;  // as dead letters say

 private:
  Workplace(const pipeline::Pipeline& pipeline, object::Store& store, Engine& engine, const Routes& routes,
            std::string feed, std::string name);

  std::vector<std::unique_ptr<Target>> targets_;
  std::unique_ptr<delta::TableWriter> dead_;
  std::optional<sql::Connection> sql_;
};

// How a plan that is new is put, beside the work.
struct PlanPut {
  std::function<void()> begin = [] {};  // where it has not begun
  std::function<Result<>()> wait = [] { return Result<>(); };
};

struct PlanCounts {
  // Of the tables that this call has committed to; before and after are left out.
  std::vector<lake::RecordReport> records;
  int64_t unrouted = 0;
  int64_t files = 0, bytes = 0, commits = 0;
};

class PlanRun {
 public:
  // `batch` holds the plan's records. Nothing is committed before the plan is put; it begins to be when the records are
  // cleaned, where it has not before.
  PlanRun(Workplace& place, const Plan& plan, const Batch& batch, PlanPut put)
      : place_(place),
        plan_(plan),
        batch_(batch),
        put_(std::move(put)),
        dead_(batch, place.name, plan.number),
        had_dead_(place.dead().txn_version() >= plan.number) {}

  // When it returns well, has(plan). conflict: the plan is of another cleaning; or another worker is at work.
  Result<PlanCounts> run();

 private:
  struct Part {
    Target* target = nullptr;
    const PlannedTable* planned = nullptr;
    std::shared_ptr<BatchSource> source;
    lake::Cleaned cleaned;
    TargetRows rows;
    lake::RecordReport report;
  };

  Result<> clean(size_t type);
  Result<> commit_dead();
  Result<> commit(Part& part);
  Result<> look_whether_away();
  void count(const std::vector<delta::DataFile>& files);
  void discard(const std::string& table, const std::vector<delta::DataFile>& files);

  Workplace& place_;
  const Plan& plan_;
  const Batch& batch_;
  const PlanPut put_;
  DeadLetters dead_;
  const bool had_dead_;  // a predecessor has committed them
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::vector<Part> parts_;
  PlanCounts counts_;
};

}  // namespace pinflow::stream
