#include "app/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "app/engine.h"
#include "app/kinesis_endpoint.h"
#include "app/lake_store.h"
#include "app/posting.h"
#include "app/services.h"
#include "app/source_commands.h"
#include "app/stream_part.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "kafka/client/writer.h"
#include "lake/batch.h"
#include "sink/lake_reader.h"

namespace pinflow::app {
namespace {

constexpr double kMeetSeconds = 5;  // how long the sink may take to join its group before posting begins all the same

// One pass, part by part. What a step needs of the ones before it are the members.
class Pass {
 public:
  Pass(const Context& context, Progress& progress)
      : context_(context),
        progress_(progress),
        with_batch_(context.options.batch_leg || !context.options.stream_leg),
        with_stream_(context.options.stream_leg || !context.options.batch_leg),
        stream_pipeline_(with_stream_repeats(context)) {
    report_.with_batch = with_batch_;
  }

  Result<RunReport> all() {
    const Stopwatch watch;
    for (const auto& [name, step] :
         std::initializer_list<std::pair<const char*, Result<> (Pass::*)()>>{{"source", &Pass::make_source},
                                                                             {"start", &Pass::start},
                                                                             {"post", &Pass::post},
                                                                             {"sink", &Pass::finish_sink},
                                                                             {"stream", &Pass::finish_stream}}) {
      const Stopwatch one;
      if (auto done = (this->*step)(); !done) return pass(done.error());
      report_.seconds.emplace_back(name, one.seconds());
    }
    if (with_batch_) {
      if (auto done = batch(); !done) return pass(done.error());
    }
    report_.total_seconds = watch.seconds();
    if (with_batch_) add_differences(differences(report_.batch));
    if (report_.stream) add_differences(differences(*report_.stream, Stations::stream), "streaming leg: ");
    return std::move(report_);
  }

 private:
  void add_differences(const std::vector<std::string>& found, std::string_view leg = {}) {
    for (const std::string& difference : found) report_.differences.push_back(fmt::format("{}{}", leg, difference));
  }

  Result<> make_source() {
    auto source = ready_source(context_, progress_);
    if (!source) return pass(source.error());
    return {};
  }

  Result<> start() {
    auto lake = open_lake(context_);
    if (!lake) return pass(lake.error());
    lake_ = std::move(*lake);
    if (auto reached = check_lake(*lake_); !reached) return reached;
    auto gateway_address = listen_address(context_, "gateway", false, true);
    if (!gateway_address) return pass(gateway_address.error());
    if (!names_a_cluster(context_)) {
      auto address = listen_address(context_, "broker", false, true);
      if (!address) return pass(address.error());
      auto broker = EmbeddedBroker::start(context_, *address);
      if (!broker) return pass(broker.error());
      broker_ = std::move(*broker);
    }
    auto config = kafka_config(context_, broker_ ? broker_->address() : "");
    if (!config) return pass(config.error());
    if (!broker_) {
      auto writer = kafka::RdTopicWriter::open(*config, {});
      if (!writer) return pass(writer.error());
      writer_ = std::move(*writer);
    }
    auto admin = kafka::Admin::open(*config);
    if (!admin) return pass(admin.error());
    admin_ = std::move(*admin);
    if (auto made = make_topics(context_.pipeline, *admin_); !made) return made;
    auto ends = ends_of(context_.pipeline, *admin_);
    if (!ends) return pass(ends.error());
    ends_before_ = std::move(*ends);
    if (with_stream_) {
      if (auto started = begin_stream(*config); !started) return started;
    }
    auto gateway = start_gateway(*gateway_address, broker_ ? broker_->writer() : *writer_,
                                 with_stream_ ? kinesis_.for_gateway : nullptr);
    if (!gateway) return pass(gateway.error());
    gateway_ = std::move(*gateway);
    if (with_batch_) {
      auto sink = start_sink(context_, *lake_, *config, true);
      if (!sink) return pass(sink.error());
      sink_ = std::move(*sink);
      if (auto met = meet_lake(); !met) return met;
    }
    return with_stream_ ? meet_streams() : Result<>();
  }

  Result<> begin_stream(const kafka::ClientConfig& config) {
    auto address = listen_address(context_, "streams", false, true);
    if (!address) return pass(address.error());
    auto kinesis = open_kinesis(context_, *address, false);
    if (!kinesis) return pass(kinesis.error());
    kinesis_ = std::move(*kinesis);
    auto streams = start_stream(context_, stream_pipeline_, *lake_, kinesis_.for_workers, config);
    if (!streams) return pass(streams.error());
    streams_ = std::move(*streams);
    return {};
  }

  // What earlier runs had left in the streams goes into the tables first, and is counted apart.
  Result<> meet_streams() {
    if (auto met = catch_up(*streams_); !met) return met;
    report_.stream.emplace();
    report_.stream->lake_backlog = records_of(streams_->counts());
    return {};
  }

  // A lake that is another log's is refused by the sink when it begins: that shall be before anything is posted.
  Result<> meet_lake() {
    for (const Stopwatch watch; watch.seconds() < kMeetSeconds && sink_->counts().partitions.empty();) {
      if (auto failure = sink_->failure()) return std::unexpected(*failure);
      if (wait_for_stop(std::chrono::milliseconds(5)))
        return fail(Code::cancelled, "stopped before anything was posted");
    }
    return {};
  }

  Result<> post() {
    auto counts = post_all(context_, gateway_->invoke_url(), progress_, {.batch = with_batch_, .stream = with_stream_});
    if (!counts) return pass(counts.error());
    gateway_->stop();
    take_posted(counts->posts, counts->batch, report_.batch);
    if (report_.stream) take_posted(counts->posts, counts->stream, *report_.stream);
    progress_.clear();
    if (with_stream_) {
      stream_done_ = std::async(std::launch::async, [this] { return catch_up(*streams_); });
      for (size_t type = 0; type < context_.pipeline.records.size(); ++type) {  // what it reads of the topics
        if (!context_.pipeline.records[type].from_topic || !with_batch_) continue;
        report_.stream->posted += counts->batch.acknowledged_by_type[type];
        report_.stream->acknowledged += counts->batch.acknowledged_by_type[type];
      }
    }
    if (counts->failure) warn("posting ended early: {}", counts->failure->message);
    if (!counts->first_refusal.empty())
      warn("{} records were refused, the first: {}", counts->refused, counts->first_refusal);
    if (counts->acknowledged != counts->posted) {
      report_.differences.push_back(
          fmt::format("{} records were posted, but {} acknowledged", counts->posted, counts->acknowledged));
    }
    return {};
  }

  static void take_posted(int64_t posts, const emulate::LegCounts& counts, LegCounts& c) {
    c.posts = posts;
    c.posted = counts.posted;
    c.acknowledged = counts.acknowledged;
    c.refused = counts.refused;
    c.answers_lost = counts.answers_lost;
  }

  // All that the log holds goes into objects; a stop ends the wait.
  Result<> finish_sink() {
    if (!with_batch_) return {};
    progress_.update("objects");
    auto ends = ends_of(context_.pipeline, *admin_);
    if (!ends) return pass(ends.error());
    const auto reached = catch_up(*sink_);
    const sink::SinkCounts counts = sink_->counts();
    const auto stopped = sink_->stop();
    if (!reached) return reached;
    if (!stopped) return stopped;
    LegCounts& c = report_.batch;
    for (const auto& [at, end] : *ends) c.log += end - ends_before_[at];
    for (const sink::PartitionCounts& partition : counts.partitions) {
      const kafka::TopicPartition at{partition.topic, partition.partition};
      c.sink_backlog += ends_before_[at] - partition.start;
      sink_starts_[at] = partition.start;
    }
    c.objects = counts.objects;
    c.sunk = counts.in_objects;
    c.dead_in_sink = counts.dead;
    return {};
  }

  // What the streams hold goes into their tables; then all ends that served both legs.
  Result<> finish_stream() {
    Result<> done;
    if (with_stream_) {
      progress_.update("stream tables");
      done = stream_done_.get();
      if (auto stopped = streams_->stop(); done) done = std::move(stopped);
      const stream::StreamCounts counts = streams_->counts();
      take(counts, context_.pipeline, *report_.stream);
      if (auto gained = count_streams(); done) done = std::move(gained);
      progress_.clear();
    }
    admin_.reset();  // clients go before their broker, or they complain of it
    sink_.reset();
    streams_.reset();
    if (broker_) broker_->stop();
    kinesis_.stop();
    return done;
  }

  // Records that the streams gained: the embedded service knows, of another one only what was read of it.
  Result<> count_streams() {
    LegCounts& c = *report_.stream;
    if (!kinesis_.embedded) {
      c.log = c.records_in_objects - c.lake_backlog;
      return {};
    }
    c.log = kinesis_.embedded->counts().records_put;
    if (!reads_topics(context_.pipeline)) return {};
    auto ends = ends_of(context_.pipeline, *admin_);
    if (!ends) return pass(ends.error());
    for (const auto& [at, end] : *ends) {
      for (const pipeline::RecordType& record : context_.pipeline.records)
        if (record.from_topic && record.topic == at.topic) c.log += end - ends_before_[at];
    }
    return {};
  }

  Result<> batch() {
    auto options = batch_options(context_, progress_);
    auto engine = engine_of(context_, *lake_);
    if (!engine) return pass(engine.error());
    options.spark = std::move(*engine);
    auto report = lake::run_batch(with_repeats(context_), *lake_, options);
    progress_.clear();
    if (!report) return pass(report.error());
    take(*report, report_);
    return count_lake_backlog(*report);
  }

  // Records that were in objects before this run, and that its plans took: from each partition's first planned offset
  // to where the sink began, without the dead ones between.
  Result<> count_lake_backlog(const lake::BatchReport& report) {
    if (report.plans.empty()) return {};
    auto plan = lake::read_plan(*lake_, report.plans.front());
    if (!plan) return pass(plan.error());
    for (const auto& [at, start] : sink_starts_) {
      int64_t from = 0;
      for (const lake::TopicPlan& topic : plan->topics) {
        for (const lake::PartitionRange& range : topic.partitions) {
          if (topic.topic == at.topic && range.partition == at.partition) from = range.from;
        }
      }
      sink::LakeReader reader(*lake_, {}, at.topic, at.partition);
      if (auto listed = reader.list(); !listed) return listed;
      auto dead = reader.dead_between(std::min(from, start), std::max(from, start));
      if (!dead) return pass(dead.error());
      report_.batch.lake_backlog += start >= from ? start - from - *dead : start - from + *dead;
    }
    return {};
  }

  const Context& context_;
  Progress& progress_;
  const bool with_batch_, with_stream_;
  const pipeline::Pipeline stream_pipeline_;
  RunReport report_;
  std::unique_ptr<object::Store> lake_;
  std::unique_ptr<EmbeddedBroker> broker_;
  std::unique_ptr<kafka::RdTopicWriter> writer_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<sink::Sink> sink_;
  KinesisEnd kinesis_;
  std::unique_ptr<stream::Streams> streams_;
  std::future<Result<>> stream_done_;
  std::map<kafka::TopicPartition, int64_t> ends_before_;
  std::map<kafka::TopicPartition, int64_t> sink_starts_;
};

}  // namespace

lake::BatchOptions batch_options(const Context& context, Progress& progress) {
  lake::BatchOptions options;
  options.date = context.options.date;
  options.progress = [&progress](std::string_view step, double done) {
    if (done < 0) progress.update(step);
    else progress.update(step, static_cast<int64_t>(done * 100), 100);
  };
  return options;
}

pipeline::Pipeline with_repeats(const Context& context) {
  pipeline::Pipeline pipeline = context.pipeline;
  if (context.options.keep_repeats) pipeline.repeats.batch_drop = false;
  return pipeline;
}

void take(const lake::BatchReport& report, RunReport& into) {
  for (const lake::RecordReport& record : report.records) {
    LegCounts& c = into.batch;
    c.raw.emplace_back(record.record, record.raw);
    c.clean.emplace_back(record.record, record.clean);
    c.duplicates.emplace_back(record.record, record.duplicates);
    c.dead.emplace_back(record.record, record.dead);
    c.tables_before.emplace_back(record.record, record.before);
    c.tables.emplace_back(record.record, record.after);
    c.records_in_objects += record.raw;
    c.missing += record.missing;
    for (const auto& [what, count] : record.noted) {
      if (count > 0) c.noted.emplace_back(record.record + "." + what, count);
    }
  }
  into.checks = report.answers.checks;
  for (const lake::Answer& answer : report.answers.all)
    into.answers.push_back({answer.query, answer.title, answer.rows});
  into.seconds.insert(into.seconds.end(), report.seconds.begin(), report.seconds.end());
}

Result<RunReport> run_once(const Context& context, Progress& progress) { return Pass(context, progress).all(); }

Result<int> run(const Context& context) {
  Progress progress(context.options.format == Format::json);
  auto report = run_once(context, progress);
  progress.clear();
  if (!report) return pass(report.error());
  if (context.options.format == Format::json) fmt::print("{}\n", as_json(*report));
  else fmt::print("{}", as_text(*report));
  for (const std::string& difference : report->differences) error("the counts do not agree: {}", difference);
  return report->differences.empty() && !lake::any_failed(report->checks) ? 0 : 1;
}

}  // namespace pinflow::app
