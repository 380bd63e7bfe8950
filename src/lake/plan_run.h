// One plan carried out: cleaned, its dead letters committed, then its tables. Used by run_batch; one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "lake/batch.h"
#include "lake/commit_counts.h"
#include "lake/engine.h"
#include "lake/plan.h"
#include "lake/table_files.h"
#include "spark/session.h"

namespace pinflow::lake {

// What plan runs share: the engine, and where time went.
struct Workshop {
  const pipeline::Pipeline& pipeline;
  object::Store& store;
  const BatchOptions& options;
  std::unique_ptr<spark::Session> spark;  // where Spark does the work; the engine uses it
  std::unique_ptr<Engine> engine;
  std::map<std::string, double> seconds;
  std::string step;  // what progress is reported for

  static Result<std::unique_ptr<Workshop>> open(const pipeline::Pipeline& pipeline, object::Store& store,
                                                const BatchOptions& options);
  void begin(const std::string& what);  // a step for progress

 private:
  Workshop(const pipeline::Pipeline& of, object::Store& in, const BatchOptions& how)
      : pipeline(of), store(in), options(how) {}
};

class PlanRun {
 public:
  PlanRun(Workshop& workshop, const Plan& plan) : shop_(workshop), plan_(plan) {}

  // When it returns well, every table has the plan. The counts of each record type of the plan, those of commits that
  // were there already among them.
  Result<std::vector<RecordReport>> run();

 private:
  struct Part {  // a record type's share
    const pipeline::RecordType* record = nullptr;
    const TopicPlan* topic = nullptr;
    std::optional<delta::Snapshot> snapshot;  // of its table
    bool done = false;                        // its table has the plan
    bool cleaned = false;                     // the engine has its rows
    RecordReport report;
  };

  bool wanted(const Part& part) const;  // by BatchOptions::record
  Result<> look();                      // which tables have the plan
  Result<> clean_all();
  Result<> commit_dead();
  Result<> commit_rows(Part& part);
  Result<> take_over(Part& part);  // the counts of a commit that is there
  Result<> check_same_cleaning() const;
  Result<std::vector<TopicObject>> objects_of(const TopicPlan& topic) const;
  Result<int64_t> count_missing(const TopicPlan& topic, const CleanedCounts& cleaned) const;
  CommitCounts counts_of(const Part& part) const;

  Workshop& shop_;
  const Plan& plan_;
  std::vector<Part> parts_;
  std::optional<delta::Snapshot> dead_;
  bool dead_done_ = false;
};

}  // namespace pinflow::lake
