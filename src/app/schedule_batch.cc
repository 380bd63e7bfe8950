#include "app/schedule_batch.h"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "app/counts.h"
#include "app/engine.h"
#include "app/lake_store.h"
#include "app/run.h"
#include "app/services.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "lake/batch.h"
#include "lake/table_files.h"
#include "schedule/history.h"
#include "schedule/times.h"

namespace pinflow::app {
namespace {

using schedule::History;
using schedule::State;

// One run's place in the history, from its claim to its end.
class Recorder {
 public:
  Recorder(History& history, const pipeline::Pipeline& pipeline, int64_t id)
      : history_(history), pipeline_(pipeline), id_(id) {}

  void step(std::string_view name) {
    if (name == step_) return;
    step_ = name;
    if (auto set = history_.set_step(id_, step_); !set) debug("{}", set.error().message);
  }

  Result<> begin(object::Store& lake) {
    const auto versions = versions_of(lake);
    if (!versions) return pass(versions.error());
    return history_.set_versions_before(id_, *versions);
  }

  Result<> end(const Result<RunReport>& report, object::Store* lake, const std::string& trouble) {
    schedule::Outcome outcome;
    outcome.state = report && trouble.empty() ? State::succeeded : State::failed;
    outcome.message = report ? trouble : report.error().message;
    if (report) {
      JsonWriter counts, seconds;
      write_json(counts, report->batch);
      seconds.begin_object();
      for (const auto& [name, time] : report->seconds) seconds.key(name).number(time);
      seconds.key("total").number(report->total_seconds).end_object();
      outcome.counts = counts.take();
      outcome.seconds = seconds.take();
    }
    if (lake != nullptr) {
      if (auto versions = versions_of(*lake)) outcome.after = std::move(*versions);
    }
    const auto finished = history_.finish(id_, outcome, now_ms());
    return finished ? Result<>{} : pass(finished.error());
  }

 private:
  // Of the tables that a batch writes; those of the streaming leg grow meanwhile by themselves.
  Result<std::string> versions_of(object::Store& lake) const {
    std::set<std::string> names{lake::kDeadTable};
    for (const pipeline::RecordType& record : pipeline_.records) names.insert(record.table);
    JsonWriter json;
    json.begin_object();
    for (const std::string& name : names) {
      const auto snapshot = lake::find_snapshot(lake, name);
      if (!snapshot) return pass(snapshot.error(), "table {}", name);
      if (*snapshot) json.key(name).number((*snapshot)->version);
    }
    json.end_object();
    return json.take();
  }

  History& history_;
  const pipeline::Pipeline& pipeline_;
  int64_t id_;
  std::string step_;
};

// The run that this command is; nothing where there is nothing to do, which is said.
Result<std::optional<schedule::Run>> find_place(History& history, const Options& options) {
  if (options.run_id > 0) {
    auto run = history.get(options.run_id);
    if (!run) return pass(run.error());
    return std::move(*run);
  }
  if (!options.date.empty() && !schedule::parse_date(options.date))
    return invalid("--date {}: a day such as 2026-01-31 is meant", options.date);
  schedule::NewRun wanted;
  wanted.date = options.date.empty() ? iso_time(now_ms()).substr(0, 10) : options.date;
  // A part of a run does not make its date done.
  const bool whole = options.step.empty() || options.step == "all";
  if (whole) wanted.slot = options.date;
  wanted.force = options.force;
  auto added = history.add(wanted, now_ms());
  if (!added) return pass(added.error());
  if (added->added) return std::move(added->run);
  const schedule::Run& other = added->run;
  if (other.state == State::succeeded) {
    if (options.format == Format::json)
      fmt::print("{{\"date\":\"{}\",\"run\":{},\"done_before\":true}}\n", options.date, other.id);
    else fmt::print("{} succeeded already, in run {}; --force runs it again\n", options.date, other.id);
    return std::nullopt;
  }
  return fail(Code::conflict, "run {} of {} is {}: wait for it, or `pinflow runs cancel {}`", other.id, options.date,
              name_of(other.state), other.id);
}

Result<RunReport> work(const Context& context, object::Store& lake, Recorder& recorder, bool& nothing_new) {
  const Options& o = context.options;
  const Stopwatch watch;
  RunReport report;
  if (o.step == "load" || o.step == "all") {
    recorder.step("load");
    if (auto loaded = load_lake(context); !loaded) return pass(loaded.error());
    report.seconds.emplace_back("load", watch.seconds());
  }
  if (o.step != "load") {
    Progress progress(o.format == Format::json);
    auto options = batch_options(context, progress);
    options.progress = [&recorder, shown = options.progress](std::string_view step, double done) {
      recorder.step(step);
      shown(step, done);
    };
    options.tables = o.step != "answers";
    options.answers = o.step != "clean";
    options.record = o.record;
    auto engine = engine_of(context, lake);
    if (!engine) return pass(engine.error());
    options.spark = std::move(*engine);
    auto done = lake::run_batch(with_repeats(context), lake, options);
    progress.clear();
    if (!done) return pass(done.error());
    take(*done, report);
    nothing_new = options.tables && done->plans.empty();
    report.differences = differences(report.batch, Stations::batch);
  }
  report.total_seconds = watch.seconds();
  return report;
}

void print(const RunReport& report, const Context& context, bool nothing_new) {
  const Options& options = context.options;
  if (options.format == Format::json) {
    fmt::print("{}\n", as_json(report));
    return;
  }
  if (nothing_new) fmt::print("nothing new in the lake: the tables are as they were\n");
  const LegCounts& c = report.batch;
  for (size_t i = 0; i < c.raw.size() && options.step != "answers"; ++i) {
    if (!options.record.empty() && options.record != c.raw[i].first) continue;
    fmt::print("{:<10} {} read: {} clean, {} repeats, {} dead; {} rows in the table {}\n", c.raw[i].first,
               grouped(c.raw[i].second), grouped(c.clean[i].second), grouped(c.duplicates[i].second),
               grouped(c.dead[i].second), grouped(c.tables[i].second),
               context.pipeline.find_record(c.raw[i].first)->table);
  }
  fmt::print("{}", as_text(report.checks));
  fmt::print("Done in {:.1f} s\n", report.total_seconds);
}

// What makes a report that came about not a good one.
std::string trouble_in(const RunReport& report) {
  std::string trouble;
  for (const std::string& difference : report.differences) {
    error("the counts do not agree: {}", difference);
    trouble += "the counts do not agree: " + difference + "\n";
  }
  if (lake::any_failed(report.checks)) trouble += as_text(report.checks);
  while (trouble.ends_with('\n')) trouble.pop_back();
  return trouble;
}

}  // namespace

Result<> load_lake(const Context& context) {
  std::unique_ptr<EmbeddedBroker> broker;
  if (!names_a_cluster(context)) {
    std::error_code ignored;
    if (!std::filesystem::exists(context.options.data / "log", ignored)) {
      info("there is no log in {}: nothing to load", context.options.data.string());
      return {};
    }
    auto started = EmbeddedBroker::start(context, Address{"127.0.0.1", 0});
    if (!started && started.error().code == Code::conflict) {
      info("another process serves the log; its sink takes it into the lake");
      return {};
    }
    if (!started) return pass(started.error());
    broker = std::move(*started);
  }
  const auto config = kafka_config(context, broker ? broker->address() : "");
  if (!config) return pass(config.error());
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  {
    auto admin = kafka::Admin::open(*config);
    if (!admin) return pass(admin.error());
    if (auto made = make_topics(context.pipeline, **admin); !made) return made;
  }
  auto sink = start_sink(context, **lake, *config, true);
  if (!sink) return pass(sink.error());
  const auto reached = catch_up(**sink);
  const auto stopped = (*sink)->stop();
  const sink::SinkCounts counts = (*sink)->counts();
  sink->reset();
  if (broker) broker->stop();
  if (!reached) return reached;
  if (!stopped) return stopped;
  info("load: {} records in {} new objects, {} dead", grouped(counts.in_objects), grouped(counts.objects),
       grouped(counts.dead));
  return {};
}

Result<int> run_batch_command(const Context& given) {
  Context context = given;
  if (!context.options.record.empty() && context.options.step != "clean")
    return invalid("--record goes with --step clean");
  if (context.options.force && context.options.date.empty()) return invalid("--force goes with --date");
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  auto history = History::open(context.options.data);
  if (!history) return pass(history.error());
  if (auto gone = history->find_abandoned(now_ms()); !gone) return pass(gone.error());
  const auto run = find_place(*history, context.options);
  if (!run) return pass(run.error());
  if (!*run) return 0;
  context.options.date = (*run)->date;
  const int64_t id = (*run)->id;
  if (auto claimed = history->claim(id, schedule::this_process(), context.options.fence, now_ms()); !claimed) {
    // A scheduler's run stays as it is, for whoever may begin it; one's own is taken back.
    if (context.options.run_id == 0)
      (void)history->finish(id, {State::failed, claimed.error().message, "", "", ""}, now_ms());
    return pass(claimed.error());
  }
  Recorder recorder(*history, context.pipeline, id);
  bool nothing_new = false;
  Result<RunReport> report = std::unexpected(Error{});
  if (auto begun = recorder.begin(**lake); !begun) report = std::unexpected(begun.error());
  else report = work(context, **lake, recorder, nothing_new);
  const std::string trouble = report ? trouble_in(*report) : "";
  if (report) print(*report, context, nothing_new);
  if (auto ended = recorder.end(report, lake->get(), trouble); !ended) {
    if (report) return pass(ended.error(), "run {} is done, but that could not be recorded", id);
    warn("run {} has failed, but that could not be recorded: {}", id, ended.error().message);
  }
  if (!report) return pass(report.error());
  return trouble.empty() ? 0 : 1;
}

}  // namespace pinflow::app
