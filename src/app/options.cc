#include "app/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>

namespace pinflow::app {
namespace {

std::string above_zero(const std::string& text) {
  double value = 0;
  const auto [at, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool well = wrong == std::errc() && at == text.data() + text.size() && value > 0;
  return well ? std::string() : fmt::format("{} is no number above 0", text);
}

void add_common(CLI::App& app, Options& o) {
  const std::string group = "Common flags";
  app.add_option("-p,--pipeline", o.pipeline, "The pipeline's folder")->capture_default_str()->group(group);
  app.add_option("--data", o.data, "Where this machine's log, lake and state are kept")
      ->capture_default_str()
      ->group(group);
  app.add_option("--profile", o.profile, "An overlay of the pipeline's configuration")
      ->capture_default_str()
      ->group(group);
  app.add_option("--source", o.source, "sqlite:///FILE or mysql://[USER@]HOST[:PORT]/DATABASE")->group(group);
  app.add_option("--db-creds", o.db_creds,
                 "Credentials of the source (default: db_creds.yaml here, then in the pipeline)")
      ->group(group);
  app.add_option("--bootstrap-server", o.bootstrap_server, "A Kafka cluster, HOST:PORT, instead of the embedded broker")
      ->group(group);
  app.add_option("--kinesis-endpoint", o.kinesis_endpoint,
                 "A Kinesis service, its URL or aws for AWS's own, instead of the embedded one")
      ->group(group);
  app.add_option("--command-config,--consumer.config,--producer.config", o.command_config,
                 "A Java properties file with the Kafka client's settings")
      ->group(group);
  app.add_option("--lake", o.lake, "The lake: a directory or s3://BUCKET/PREFIX (default: DATA/lake)")->group(group);
  app.add_option("--engine", o.engine, "What cleans and answers: duckdb, or Spark's connection string (sc://HOST:PORT)")
      ->group(group);
  app.add_option("--listen", o.listen, "HOST:PORT, or PART=HOST:PORT with run and up; port 0 is any free one")
      ->group(group);
  const std::map<std::string, Format> formats{{"table", Format::table}, {"json", Format::json}, {"csv", Format::csv}};
  app.add_option("--format", o.format, "table, json or csv")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case))
      ->option_text("table|json|csv")
      ->group(group);
  app.add_flag("-v,--verbose", o.verbose, "Say more; `emulate` prints each post")->group(group);
}

// CLI11 cuts a number that is too large to the largest one; a seed must not be another than was given.
void add_seed(CLI::App& command, Options& o, const std::string& what) {
  command.add_option("--seed", o.seed, what)->capture_default_str()->check([](const std::string& text) {
    int64_t value = 0;
    const auto [at, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = wrong == std::errc() && at == text.data() + text.size();
    return whole ? std::string() : fmt::format("{} is no whole number from -2^63 to 2^63-1", text);
  });
}

void add_posting(CLI::App& command, Options& o) {
  command.add_option("--posts", o.posts, "How many random posts, as the course's loop draws them")->check(above_zero);
  command.add_flag("--all", o.all, "Every post of the source once, in order")->excludes("--posts");
  add_seed(command, o, "Of the random rows");
  command.add_option("--connections", o.connections, "HTTP connections")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  command.add_option("--records-per-request", o.records_per_request, "Records in one request")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
}

void add_flush_size(CLI::App& command, Options& o) {
  command.add_option("--flush-size", o.flush_size, "Records in one object (10000)")->check(above_zero);
}

void add_streams(CLI::App& command, Options& o) {
  command.add_option("--keys", o.keys, "Who may ask the streams' service: a file in the form of ~/.aws/credentials");
  command.add_flag("--shard-limits", o.shard_limits, "Holds each shard of the streams to AWS's rates");
}

void add_trigger(CLI::App& command, Options& o) {
  command.add_option("--trigger", o.trigger, "Time between two micro-batches: 100ms, 1s, … (default: 1s)");
  command
      .add_option("--anew", o.anew,
                  "A stream or topic that was made anew, or lost records before they were read: go on with it as it is "
                  "now, into the same tables")
      ->allow_extra_args(false);
}

void add_topic(CLI::App& command, Options& o) { command.add_option("--topic", o.topic, "The topic")->required(); }

class Tree {
 public:
  Tree(CLI::App& app, Options& options, std::string& chosen) : app_(app), o_(options), chosen_(chosen) {
    main_job();
    parts();
    topics();
    source();
    reading();
    scheduling();
  }

 private:
  CLI::App& leaf(CLI::App& parent, const std::string& name, const std::string& what) {
    CLI::App* made = parent.add_subcommand(name, what);
    made->fallthrough();
    made->footer("Common flags (--data, --pipeline, --source, --format, …): pinflow --help");
    const std::string path = &parent == &app_ ? name : parent.get_name() + " " + name;
    made->callback([this, path] {  // a subcommand's comes before its parent's
      if (chosen_.empty()) chosen_ = path;
    });
    return *made;
  }

  CLI::App& branch(const std::string& name, const std::string& what) {
    CLI::App* made = app_.add_subcommand(name, what);
    made->require_subcommand(1)->fallthrough();
    return *made;
  }

  void main_job() {
    CLI::App& run = leaf(app_, "run", "One pass of everything, from posts over HTTP to answers; then ends");
    add_posting(run, o_);
    add_flush_size(run, o_);
    run.add_flag("--keep-repeats", o_.keep_repeats, "Keep rows that are equal after cleaning");
    run.add_flag("--batch", o_.batch_leg, "Only the batch leg (default: both)");
    run.add_flag("--stream", o_.stream_leg, "Only the streaming leg (default: both)");
    add_trigger(run, o_);
    add_streams(run, o_);
    CLI::App& up = leaf(app_, "up", "Broker, streams, gateway, sink and stream workers, until Ctrl-C");
    add_streams(up, o_);
    up.add_option("--rate", o_.rate, "Also post, so many posts a second")->check(above_zero);
    up.add_flag("--no-auto-create", o_.no_auto_create, "Topics are not made on first use");
    add_flush_size(up, o_);
    up.add_flag("--keep-repeats", o_.keep_repeats, "Keep streamed rows that are equal after cleaning");
    add_trigger(up, o_);
  }

  void parts() {
    CLI::App& broker = leaf(app_, "broker", "The Kafka broker by itself");
    broker.add_flag("--no-auto-create", o_.no_auto_create, "Topics are not made on first use");
    CLI::App& streams = leaf(app_, "streams", "The Kinesis service by itself");
    streams.add_flag("--make-streams", o_.make_streams, "Makes the pipeline's streams, where they are not there");
    add_streams(streams, o_);
    CLI::App& gateway = leaf(app_, "gateway", "The HTTP gateway by itself, before any Kafka cluster");
    gateway.add_option("FILE", o_.file, "kafka-rest.properties of the original set-up");
    CLI::App& emulate = leaf(app_, "emulate", "Posts rows of the source to a gateway, until Ctrl-C or all are posted");
    add_posting(emulate, o_);
    emulate.add_option("--url", o_.url, "The invoke URL (default: http://127.0.0.1:8082/prod)");
    emulate.add_flag("--batch", o_.batch_leg, "Posts to topics (what it does without --stream)");
    emulate.add_flag("--stream", o_.stream_leg, "Puts into streams; with --batch both");
    emulate.add_option("--rate", o_.rate, "Posts a second")->check(above_zero);
    emulate
        .add_option_function<std::string>(
            "--pace", [this](const std::string&) { o_.course_pace = true; },
            "course: the course's pauses between posts")
        ->check(CLI::IsMember({"course"}));
    CLI::App& sink = leaf(app_, "sink", "Topics to objects");
    sink.add_option("FILE", o_.file, "Properties of the S3 sink connector");
    sink.add_flag("--until-caught-up", o_.until_caught_up, "Ends when all that was there at the start is in objects");
    add_flush_size(sink, o_);
    CLI::App& stream = leaf(app_, "stream", "Streams to clean tables, in micro-batches");
    stream.add_flag("--until-caught-up", o_.until_caught_up, "Ends when all that was there at the start is in tables");
    stream.add_flag("--keep-repeats", o_.keep_repeats, "Keep rows that are equal after cleaning");
    stream.add_option("--from", o_.from, "On Spark: what it reads, the lake's objects, kafka or kinesis (objects)")
        ->check(CLI::IsMember({"objects", "kafka", "kinesis"}));
    add_trigger(stream, o_);
    CLI::App& batch = leaf(app_, "batch", "Objects to clean tables and answers");
    batch.add_option("--date", o_.date, "The run's label, $date in SQL (default: today, UTC)");
    batch.add_flag("--keep-repeats", o_.keep_repeats, "Keep rows that are equal after cleaning");
    batch.add_flag("--force", o_.force, "With --date: also where that date has succeeded");
    batch
        .add_option(
            "--step", o_.step,
            "load (the log into the lake), clean, answers (checks and queries), or all; default: clean, answers")
        ->check(CLI::IsMember({"load", "clean", "answers", "all"}));
    batch.add_option("--record", o_.record, "With --step clean: only this record type's table");
    batch.add_option("--run", o_.run_id, "The run that a scheduler gave")->group("");
    batch.add_option("--fence", o_.fence, "The scheduler's number")->group("");
  }

  void add_schedule(CLI::App& command) {
    command.add_option("--cron", o_.cron, "Instead of the pipeline's: '0 3 * * *', @daily, …");
    command.add_option("--timezone", o_.timezone, "Instead of the pipeline's: Europe/Paris, …");
  }

  void scheduling() {
    CLI::App& schedule = leaf(app_, "schedule", "Runs the batch leg when it is due, until Ctrl-C");
    schedule.require_subcommand(0, 1);
    schedule.add_flag("--once", o_.once, "Runs what is due now, then ends");
    add_schedule(schedule);
    CLI::App& next = leaf(schedule, "next", "When the next runs are due");
    add_schedule(next);
    next.add_option("-n,--count", o_.count, "How many (5; all, with --until)")->check(above_zero);
    next.add_option("--from", o_.from, "After this instant, 2026-01-31T00:00:00Z (now)");
    next.add_option("--until", o_.until, "Up to this instant");
    leaf(schedule, "pause", "Plans nothing more; what is queued still runs");
    leaf(schedule, "resume", "Plans again; what was missed is run as `catchup` says");
    CLI::App& backfill = leaf(schedule, "backfill", "Runs each time of the days FROM to TO that has not succeeded");
    backfill.add_option("FROM", o_.from, "2026-01-01")->required();
    backfill.add_option("TO", o_.until, "2026-01-31")->required();
    backfill.add_flag("--force", o_.force, "Also those that have succeeded");
    CLI::App& runs = branch("runs", "The history of runs");
    leaf(runs, "list", "The last runs").add_option("-n,--count", o_.count, "How many (20)")->check(above_zero);
    const auto one = [&](CLI::App& command) -> CLI::App& {
      command.add_option("ID", o_.run_id, "The run")->required()->check(above_zero);
      return command;
    };
    one(leaf(runs, "show", "Everything that is known of a run, and its log"));
    one(leaf(runs, "retry", "Runs its date again")).add_flag("--force", o_.force, "Also where it has succeeded");
    one(leaf(runs, "cancel", "Stops it, or takes it from the queue"));
  }

  void topics() {
    CLI::App& topics = branch("topics", "Makes, lists, describes and deletes topics of any cluster");
    CLI::App& create = leaf(topics, "create", "Makes a topic; without --topic those of the pipeline");
    create.add_option("--topic", o_.topic, "The topic");
    create.add_option("--partitions", o_.partitions, "Partitions")->capture_default_str()->check(CLI::Range(1, 1000));
    create.add_option("--config", o_.configs, "KEY=VALUE, e.g. retention.ms=86400000");
    leaf(topics, "list", "Names of the topics");
    leaf(topics, "describe", "Partitions and settings").add_option("--topic", o_.topic, "The topic (default: all)");
    add_topic(leaf(topics, "delete", "Deletes a topic and its records"), o_);
    add_topic(leaf(app_, "produce", "Each line of standard input becomes a record, without a key"), o_);
    CLI::App& consume = leaf(app_, "consume", "Prints the records of a topic");
    add_topic(consume, o_);
    consume.add_option("--group", o_.group, "The consumer group");
    consume.add_flag("--from-beginning", o_.from_beginning, "Where the group has no offset: from the first record");
    consume.add_option("-n,--max-messages", o_.max_messages, "Ends after so many");
    consume.add_option("--timeout-ms", o_.timeout_ms, "Ends when nothing came for so long");
    consume.add_flag("--until-end", o_.until_end, "Ends at the end of the topic");
  }

  void source() {
    CLI::App& source = branch("source", "The source's tables: made, loaded, counted");
    CLI::App& generate = leaf(source, "generate", "Fills the tables with generated posts");
    generate.add_option("--posts", o_.posts, "How many (11154)")->check(above_zero);
    add_seed(generate, o_, "The same seed makes the same posts");
    generate.add_flag("--replace", o_.replace, "Empty tables that hold rows first");
    leaf(source, "load", "Loads TABLE.jsonl files into the tables")
        .add_option("DIR", o_.file, "The folder with the files")
        ->required();
    leaf(source, "count", "Rows of each table");
  }

  void add_version(CLI::App& command) {
    command.add_option("--version", o_.versions, "The table as of version N; TABLE=N where several are read");
    command.add_option("--at", o_.at, "The tables as they were then: 2026-01-31T12:00:00Z, 2026-01-31 (UTC)");
  }

  void reading() {
    leaf(app_, "check", "Whether the pipeline's SQL means the same on DuckDB and on Spark; starts no engine");
    leaf(branch("export", "The pipeline for others"), "databricks", "Notebooks, from the same SQL files")
        .add_option("DIR", o_.file, "The folder they are written to")
        ->required();
    CLI::App& query = leaf(app_, "query", "Answers the pipeline's queries over its tables");
    query.add_option("NAME", o_.names, "Which (default: all)");
    query.add_option("--date", o_.date, "$date in SQL (default: today, UTC)");
    add_version(query);
    CLI::App& tables = leaf(app_, "tables", "The tables; `tables show NAME`: schema, version, files, five rows");
    tables.require_subcommand(0, 1);
    const auto of_table = [&](const std::string& name, const std::string& what) -> CLI::App& {
      CLI::App& command = leaf(tables, name, what);
      command.add_option("NAME", o_.names, "The table")->required()->expected(1);
      return command;
    };
    add_version(of_table("show", "Schema, version, files and five rows of a table"));
    of_table("fold", "Folds small files of past hours into larger ones; the rows stay the same")
        .add_flag("--all", o_.all_hours, "Also those of the hour that has begun");
    CLI::App& clean = of_table("clean", "Removes what is past its retention: old commits, files no longer used");
    clean.add_option("--keep", o_.keep, "Versions of so long, '30 days', instead of delta.logRetentionDuration");
    clean.add_option("--keep-files", o_.keep_files,
                     "Removed files of so long, '7 days', instead of delta.deletedFileRetentionDuration");
    leaf(app_, "doctor", "Checks configuration, folders and endpoints, and says what to mend");
  }

  CLI::App& app_;
  Options& o_;
  std::string& chosen_;
};

}  // namespace

Parsed parse(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app("Pinflow: posts over HTTP, through a durable log and an object store, into clean tables and answers.",
               "pinflow");
  app.require_subcommand(1);
  app.set_version_flag("--version", "pinflow " PINFLOW_VERSION);
  app.get_formatter()->column_width(34);
  add_common(app, line.options);
  Tree tree(app, line.options, line.command);
  const auto named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(named).empty()) {
    fmt::print(stderr, "'{}' is no command; pinflow --help lists them\n", argv[1]);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return line;
}

}  // namespace pinflow::app
