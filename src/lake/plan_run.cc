#include "lake/plan_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "lake/commit_counts.h"
#include "lake/duckdb_engine.h"
#include "lake/holes.h"
#include "lake/spark_engine.h"

namespace pinflow::lake {
namespace {

// Adds the time until it goes to a step's.
class Timed {
 public:
  Timed(Workshop& shop, const char* step) : shop_(shop), step_(step) {}
  ~Timed() { shop_.seconds[step_] += clock_.seconds(); }

 private:
  Workshop& shop_;
  const char* step_;
  Stopwatch clock_;
};

bool has_plan(const std::optional<delta::Snapshot>& snapshot, const std::string& app, int64_t plan) {
  return snapshot && snapshot->txn_version(app) >= plan;
}

// A file that no commit will add.
void discard(object::Store& store, const std::string& table, const std::vector<delta::DataFile>& files) {
  for (const delta::DataFile& file : files) {
    if (auto gone = store.remove(table_folder(table) + "/" + file.path); !gone) debug("{}", gone.error().message);
  }
}

}  // namespace

Result<std::unique_ptr<Workshop>> Workshop::open(const pipeline::Pipeline& pipeline, object::Store& store,
                                                 const BatchOptions& options) {
  std::unique_ptr<Workshop> shop(new Workshop(pipeline, store, options));
  if (options.spark) {
    auto session = options.spark.open();
    if (!session) return pass(session.error());
    shop->spark = std::move(*session);
    if (options.progress) {
      shop->spark->watch([raw = shop.get()](const spark::Progress& done) {
        raw->options.progress(raw->step, share_of(done));
        return !stop_requested();
      });
    }
    auto engine = open_spark_engine(*shop->spark, pipeline, store, options.spark.lake);
    if (!engine) return pass(engine.error());
    shop->engine = std::move(*engine);
    return shop;
  }
  DuckDbOptions how{options.memory_bytes, options.threads, {}};
  if (options.progress) {
    how.watch = [raw = shop.get()](double done) {
      raw->options.progress(raw->step, done);
      return !stop_requested();
    };
  }
  auto engine = open_duckdb_engine(pipeline, store, how);
  if (!engine) return pass(engine.error());
  shop->engine = std::move(*engine);
  return shop;
}

void Workshop::begin(const std::string& what) {
  step = what;
  if (options.progress) options.progress(step, 0);
}

Result<std::vector<RecordReport>> PlanRun::run() {
  if (auto looked = look(); !looked) return pass(looked.error());
  if (auto same = check_same_cleaning(); !same) return pass(same.error());
  if (auto cleaned = clean_all(); !cleaned) return pass(cleaned.error());
  if (auto committed = commit_dead(); !committed) return pass(committed.error());
  std::vector<RecordReport> reports;
  for (Part& part : parts_) {
    if (!wanted(part)) {
      if (part.cleaned) {
        if (auto forgotten = shop_.engine->forget(*part.record); !forgotten) return pass(forgotten.error());
      }
      continue;
    }
    if (auto committed = part.done ? take_over(part) : commit_rows(part); !committed) return pass(committed.error());
    if (part.cleaned) {
      if (auto forgotten = shop_.engine->forget(*part.record); !forgotten) return pass(forgotten.error());
    }
    reports.push_back(part.report);
  }
  return reports;
}

bool PlanRun::wanted(const Part& part) const {
  return shop_.options.record.empty() || shop_.options.record == part.record->name;
}

Result<> PlanRun::look() {
  for (const TopicPlan& topic : plan_.topics) {
    const pipeline::RecordType* record = shop_.pipeline.find_record(topic.record);
    if (record == nullptr) {
      warn("plan {}: the pipeline has no record type '{}' any more; its part is left out", plan_.number, topic.record);
      continue;
    }
    Part& part = parts_.emplace_back();
    part.record = record;
    part.topic = &topic;
    part.report.record = record->name;
    part.report.table = record->table;
    auto snapshot = find_snapshot(shop_.store, record->table);
    if (!snapshot) return pass(snapshot.error());
    part.snapshot = std::move(*snapshot);
    part.done = has_plan(part.snapshot, app_id(shop_.pipeline.id, record->table), plan_.number);
  }
  auto dead = find_snapshot(shop_.store, kDeadTable);
  if (!dead) return pass(dead.error());
  dead_ = std::move(*dead);
  dead_done_ = has_plan(dead_, app_id(shop_.pipeline.id, kDeadTable), plan_.number);
  return {};
}

// The dead letters and the rows of a plan must be of one cleaning, or a record could be in both or in neither.
Result<> PlanRun::check_same_cleaning() const {
  if (!dead_done_ || std::ranges::all_of(parts_, &Part::done)) return {};
  const auto counts = find_counts(shop_.store, shop_.pipeline.id, kDeadTable, plan_.number);
  if (!counts) return pass(counts.error());
  for (const Part& part : parts_) {
    if (part.done || !wanted(part)) continue;
    std::string used = part.topic->cleaning;
    if (*counts) {
      for (const auto& record : (*counts)->records) {
        if (record.counts.record == part.record->name) used = record.cleaning;
      }
    }
    if (used == digest_of(shop_.pipeline, *part.record)) continue;
    return fail(
        Code::conflict,
        "plan {} was begun with another cleaning of '{}': its dead letters are in the table {} already, its rows "
        "are not yet in {}. Put {} back as it was, run the batch once, then change it",
        plan_.number, part.record->name, kDeadTable, part.record->table, part.record->cleaning.file.string());
  }
  return {};
}

Result<std::vector<TopicObject>> PlanRun::objects_of(const TopicPlan& topic) const {
  std::vector<TopicObject> taken;
  if (std::ranges::all_of(topic.partitions, [](const PartitionRange& range) { return range.objects == 0; }))
    return taken;
  const auto objects = list_topic(shop_.store, topic.topic);
  if (!objects) return pass(objects.error());
  for (const PartitionRange& range : topic.partitions) {
    if (range.from == range.to) continue;
    const auto held = objects_from(shop_.store, *objects, range.partition, range.from);
    if (!held) return pass(held.error());
    for (TopicObject object : *held) {
      if (object.first_offset >= range.to) break;
      object.from = range.from;
      object.to = range.to;
      taken.push_back(std::move(object));
    }
  }
  return taken;
}

// The offsets of the plan's ranges that neither objects nor dead letters hold. The log may never have had them, so the
// plan goes on; not so where there were other objects when it was made, or a record at the range's end.
Result<int64_t> PlanRun::count_missing(const TopicPlan& topic, const CleanedCounts& cleaned) const {
  int64_t missing = 0;
  for (const PartitionRange& range : topic.partitions) {
    const auto holes =
        unexplained(shop_.store, topic.topic, range.partition, holes_of(range, cleaned.objects, cleaned.ends));
    if (!holes) return pass(holes.error());
    if (holes->empty()) continue;
    const int64_t count = std::ranges::count(cleaned.objects, range.partition, &TopicObject::partition);
    if (count != range.objects || holes->back().to == range.to) {
      return corrupt(
          "plan {}: {} objects of {}, partition {}, offsets {} to {}, were there when the plan was made; now {}, and "
          "the offsets {} are in no object and no dead letter. Put the objects back, or let the sink write them again",
          plan_.number, range.objects, topic.topic, range.partition, range.from, range.to - 1, count, text_of(*holes));
    }
    missing += offsets_in(*holes);
    warn(
        "plan {}: of {}, partition {}, offsets {} to {}, the offsets {} are in no object and no dead letter: {} "
        "records are lost, unless the topic never had them (transactions, compaction, retention)",
        plan_.number, topic.topic, range.partition, range.from, range.to - 1, text_of(*holes), offsets_in(*holes));
  }
  return missing;
}

Result<> PlanRun::clean_all() {
  const Timed timed(shop_, "clean");
  for (Part& part : parts_) {
    if (dead_done_ && (part.done || !wanted(part))) continue;  // the dead letters are of all record types
    shop_.begin("clean " + part.record->name);
    auto objects = objects_of(*part.topic);
    if (!objects) return pass(objects.error());
    auto cleaned = shop_.engine->clean(*part.record, std::move(*objects), plan_.date);
    if (!cleaned) return pass(cleaned.error(), "plan {}", plan_.number);
    const auto missing = count_missing(*part.topic, *cleaned);
    if (!missing) return pass(missing.error());
    part.report.missing = *missing;
    part.report.raw = cleaned->raw;
    part.report.dead = cleaned->dead;
    part.report.noted = cleaned->noted;
    part.cleaned = true;
  }
  return {};
}

CommitCounts PlanRun::counts_of(const Part& part) const {
  return {plan_.number, plan_.date, {{part.report, digest_of(shop_.pipeline, *part.record)}}};
}

Result<> PlanRun::commit_dead() {
  if (dead_done_) return {};
  const Timed timed(shop_, "dead letters");
  shop_.begin("dead letters");
  CommitCounts counts{plan_.number, plan_.date, {}};
  std::vector<const pipeline::RecordType*> records;
  for (const Part& part : parts_) {
    counts.records.push_back(counts_of(part).records[0]);
    records.push_back(part.record);
  }
  const auto written = shop_.engine->write_dead(records, plan_.number);
  if (!written) return pass(written.error(), "writing the dead letters of plan {}", plan_.number);
  const std::vector<delta::DataFile>& files = *written;
  const auto outcome = delta::append(shop_.store, {.table = table_folder(kDeadTable),
                                                   .columns = dead_columns(),
                                                   .files = files,
                                                   .txn = {app_id(shop_.pipeline.id, kDeadTable), plan_.number, {}},
                                                   .commit_info = write_counts(counts),
                                                   .has_read = false,
                                                   .base = dead_});
  if (!outcome) return pass(outcome.error(), "committing the dead letters of plan {}", plan_.number);
  if (outcome->kind != delta::Outcome::Kind::already_done) return {};
  discard(shop_.store, kDeadTable, files);
  dead_done_ = true;  // by another process: with the same cleaning?
  return check_same_cleaning();
}

Result<> PlanRun::commit_rows(Part& part) {
  const pipeline::RecordType& record = *part.record;
  const bool drop = shop_.pipeline.repeats.batch_drop;
  for (;;) {
    shop_.begin("table " + record.table);
    std::vector<delta::DataFile> files;
    {
      const Timed timed(shop_, "tables");
      auto written = shop_.engine->write_rows(record, drop, part.snapshot);
      if (!written) return pass(written.error(), "plan {}", plan_.number);
      part.report.clean = written->clean;
      part.report.duplicates = written->duplicates;
      part.report.before = part.snapshot ? part.snapshot->records() : 0;
      part.report.after = part.report.before + written->clean;
      files = std::move(written->files);
    }
    const Timed timed(shop_, "commit");
    auto outcome = delta::append(shop_.store, {.table = table_folder(record.table),
                                               .columns = delta_columns(record.columns),
                                               .files = files,
                                               .txn = {app_id(shop_.pipeline.id, record.table), plan_.number, {}},
                                               .commit_info = write_counts(counts_of(part)),
                                               .has_read = drop,
                                               .base = part.snapshot});
    if (!outcome) return pass(outcome.error(), "committing plan {} to the table {}", plan_.number, record.table);
    if (outcome->kind == delta::Outcome::Kind::committed) return {};
    discard(shop_.store, record.table, files);
    part.snapshot = std::move(outcome->snapshot);
    if (outcome->kind == delta::Outcome::Kind::already_done) return take_over(part);
  }
}

Result<> PlanRun::take_over(Part& part) {
  const auto counts = find_counts(shop_.store, shop_.pipeline.id, part.record->table, plan_.number);
  if (!counts) return pass(counts.error());
  if (!*counts || (*counts)->records.empty()) {
    warn("plan {}: the table {} has it, but its log no longer says what was counted", plan_.number, part.record->table);
    part.report.after = part.report.before = part.snapshot ? part.snapshot->records() : 0;
    return {};
  }
  part.report = (*counts)->records[0].counts;
  part.report.table = part.record->table;
  return {};
}

}  // namespace pinflow::lake
