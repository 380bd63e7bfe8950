#include "lake/spark_stream.h"

#include <fmt/format.h>

#include <chrono>

#include "base/clock.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "delta/table.h"
#include "lake/cleaning.h"
#include "lake/owners.h"
#include "lake/record_source.h"
#include "lake/spark_raw.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

using spark::quote_name;
using spark::quote_text;
using From = SparkStreamOptions::From;

constexpr std::chrono::milliseconds kPoll{1000};
constexpr std::chrono::seconds kSayEvery{10};
constexpr int kObjectsAtOnce = 1000;  // of one micro-batch, and of one topic

// Whatever was under way when a stop was asked for ends with this.
bool is_of_a_stop(const Error& error) { return error.code == Code::cancelled && stop_requested(); }

struct Running {
  spark::StreamQuery query;
  std::string table;
};

class SparkStream {
 public:
  SparkStream(const pipeline::Pipeline& pipeline, object::Store& store, const SparkStreamOptions& options,
              std::unique_ptr<spark::Session> session)
      : pipeline_(pipeline), store_(store), options_(options), spark_(std::move(session)) {
    date_ = options.date.empty() ? iso_time(now_ms()).substr(0, 10) : options.date;
  }

  Result<std::vector<SparkStreamCounts>> run() {
    if (auto known = run_spark_prelude(*spark_, pipeline_); !known) return pass(known.error());
    if (auto ready = make_table(kDeadStreamTable, dead_stream_columns()); !ready) return pass(ready.error());
    for (const pipeline::RecordType& record : pipeline_.records) {
      auto before = make_table(record.stream_table, delta_columns(record.columns));
      if (!before) return pass(before.error());
      counts_.push_back({record.name, record.stream_table, *before, *before});
    }
    auto ended = begin_and_wait();
    stop_all();
    if (!ended && !is_of_a_stop(ended.error())) return pass(ended.error());
    if (auto counted = count(); !counted) return pass(counted.error());
    return std::move(counts_);
  }

 private:
  // Ours, at protocol 1/2, before Spark writes to it; its rows.
  Result<int64_t> make_table(const std::string& table, const std::vector<delta::Column>& columns) {
    if (auto ours = claim_stream_table(store_, table, kOwnedBySpark); !ours) return pass(ours.error());
    const auto snapshot = find_snapshot(store_, table);
    if (!snapshot) return pass(snapshot.error());
    if (*snapshot) return (*snapshot)->records();
    delta::Append append;
    append.table = table_folder(table);
    append.columns = columns;
    append.txn = {"pinflow:" + pipeline_.id + ":stream-spark:" + table, 0, {}};
    auto made = delta::append(store_, append);
    if (!made) return pass(made.error(), "making the table {}", table);
    return made->snapshot.records();
  }

  Result<> count() {
    for (SparkStreamCounts& each : counts_) {
      const auto snapshot = find_snapshot(store_, each.table);
      if (!snapshot) return pass(snapshot.error());
      if (*snapshot) each.after = (*snapshot)->records();
    }
    return {};
  }

  // A run that ends by itself says that it is at work also where no rows come.
  void tell(const std::string& doing) {
    if (!options_.progress || !count()) return;
    std::string line = line_of(counts_);
    if (line == told_ && !options_.until_caught_up) return;
    options_.progress(doing.empty() ? line : line + "; Spark: " + doing);
    told_ = std::move(line);
  }

  Result<> begin_and_wait() {
    for (const pipeline::RecordType& record : pipeline_.records) {
      if (auto begun = begin(record); !begun) return begun;
    }
    if (options_.report)
      options_.report(fmt::format("{} queries run on {}, Ctrl-C stops them", running_.size(), spark_->shown()));
    auto said = std::chrono::steady_clock::now();
    for (;;) {
      bool active = false;
      std::string doing;
      for (const Running& each : running_) {
        const auto state = spark_->stream_state(each.query);
        if (!state) return pass(state.error(), "the stream into {}", each.table);
        if (state->failed) return pass(*state->failed, "the stream into {}", each.table);
        active = active || state->active;
        if (state->active && doing.empty()) doing = state->message;
      }
      if (!active && options_.until_caught_up) return {};
      if (!active) return unavailable("the queries have ended on Spark; start them again");
      if (std::chrono::steady_clock::now() - said >= kSayEvery) {
        tell(doing);
        said = std::chrono::steady_clock::now();
      }
      if (wait_for_stop(kPoll)) return {};
    }
  }

  void stop_all() {
    for (const Running& each : running_) {
      if (auto stopped = spark_->stop_stream(each.query); !stopped)
        warn("the stream into {} could not be stopped: {}", each.table, stopped.error().message);
    }
  }

  // The stream of a record type as a view "feed_<record>", and its columns as `value`, `stream`, `shard`, `position`.
  Result<std::string> lines_of(const pipeline::RecordType& record) {
    const std::string name = "feed_" + record.name;
    spark::StreamSource source;
    source.options = options_.source;
    std::string columns;
    if (options_.from == From::kafka) {
      source.format = "kafka";
      source.options.emplace_back("subscribe", record.topic);
      source.options.emplace_back("startingOffsets", "earliest");
      columns =
          "CAST(value AS STRING) AS value, topic AS stream, CAST(`partition` AS STRING) AS shard, CAST(`offset` AS "
          "STRING) AS position";
    } else if (options_.from == From::kinesis) {
      source.format = "kinesis";
      source.options.emplace_back("streamName", record.stream);
      source.options.emplace_back("initialPosition", "earliest");
      columns = "CAST(data AS STRING) AS value, stream, shardId AS shard, sequenceNumber AS position";
    } else {
      source.format = "text";
      source.path = spark_literal_path(options_.spark.lake + "/topics/" + record.topic);
      source.schema = "value STRING";
      source.options.insert(source.options.end(), {{"lineSep", "\n"},
                                                   {"recursiveFileLookup", "true"},
                                                   {"pathGlobFilter", "*.json"},
                                                   {"maxFileAge", "36500d"},
                                                   {"maxFilesPerTrigger", std::to_string(kObjectsAtOnce)}});
      columns = fmt::format(
          "value, {} AS stream, regexp_extract(input_file_name(), '[^/]*/[^/]*$', 0) AS shard, CAST(NULL AS STRING) AS "
          "position",
          quote_text(record.topic));
    }
    if (auto made = spark_->create_stream_view(name, source); !made) return pass(made.error(), "{}", source.format);
    return "SELECT " + columns + " FROM " + quote_name(name);
  }

  Result<> begin(const pipeline::RecordType& record) {
    const auto lines = lines_of(record);
    if (!lines) return pass(lines.error());
    std::string fields;
    for (size_t i = 0; i < record.fields.size(); ++i)
      fields += fmt::format("field_{} AS {}, ", i, quote_name(record.fields[i]));
    const std::string raw = fmt::format(
        "WITH raw AS (SELECT {}named_struct('fault', fault, 'stream', stream, 'shard', shard, 'position', position, "
        "'value', value) AS origin FROM ({}))",
        fields, spark_raw_sql(*lines, record.fields));
    const std::string body = " FROM (\n" + body_of(record, date_) + "\n)";
    const auto described = spark_->columns(raw + " SELECT *" + body, origin_of(record, 2));
    if (!described) return pass(described.error());
    std::vector<std::string> names;
    for (const sql::ColumnInfo& column : *described) names.push_back(column.name);
    if (auto shape = check_shape(record, names); !shape) return pass(shape.error());
    const std::string reason =
        fmt::format("CASE origin.fault WHEN {} THEN {} WHEN {} THEN {} ELSE CAST(reason AS STRING) END",
                    static_cast<int>(Fault::not_an_object), quote_text(kNotAnObject), static_cast<int>(Fault::too_long),
                    quote_text(kTooLong));
    std::string casts;
    for (const pipeline::Column& column : record.columns) {
      casts += fmt::format("{0}CAST({1} AS {2}) AS {1}", casts.empty() ? "" : ", ", quote_name(column.name),
                           name_of(column.type));
    }
    if (auto begun = start(record, record.stream_table, record.stream_table,
                           raw + " SELECT " + casts + body + " WHERE " + reason + " IS NULL");
        !begun)
      return begun;
    const std::string letters = fmt::format(
        "{} SELECT {} AS `table`, {} AS reason, origin.stream AS stream, origin.shard AS shard, origin.position AS "
        "sequence_number, {} AS record, CAST(0 AS BIGINT) AS plan",
        raw, quote_text(record.stream_table), reason, spark_shown_sql("origin.value", "origin.fault"));
    return start(record, kDeadStreamTable, "dead-" + record.stream_table,
                 letters + body + " WHERE " + reason + " IS NOT NULL");
  }

  Result<> start(const pipeline::RecordType& record, const std::string& table, const std::string& checkpoint,
                 const std::string& sql) {
    spark::StreamSink sink;
    sink.path = options_.spark.lake + "/" + table_folder(table);
    sink.checkpoint = options_.spark.lake + "/state/spark/stream/" + checkpoint;
    sink.every = options_.every;
    sink.available_now = options_.until_caught_up;
    auto query = spark_->start_stream(sql, sink, origin_of(record, 2));
    if (!query) return pass(query.error(), "the stream into {}", table);
    running_.push_back({std::move(*query), table});
    return {};
  }

  const pipeline::Pipeline& pipeline_;
  object::Store& store_;
  const SparkStreamOptions& options_;
  const std::unique_ptr<spark::Session> spark_;
  std::string date_;
  std::vector<Running> running_;
  std::vector<SparkStreamCounts> counts_;
  std::string told_;
};

}  // namespace

std::string line_of(const std::vector<SparkStreamCounts>& counts) {
  std::string line;
  for (const SparkStreamCounts& each : counts)
    line += fmt::format("{}{} has {} rows, {} of them new", line.empty() ? "" : ", ", each.table, each.after,
                        each.after - each.before);
  return line;
}

Result<std::vector<SparkStreamCounts>> run_spark_stream(const pipeline::Pipeline& pipeline, object::Store& store,
                                                        const SparkStreamOptions& options) {
  if (pipeline.repeats.stream_drop)
    warn("a stream on Spark keeps repeats: repeats.stream is drop, which the program's own stream workers do");
  auto session = options.spark.open();
  Result<std::vector<SparkStreamCounts>> counts;
  if (session) counts = SparkStream(pipeline, store, options, std::move(*session)).run();
  else counts = pass(session.error());
  if (!counts && is_of_a_stop(counts.error())) return std::vector<SparkStreamCounts>();
  if (!counts) return pass(at_lake(counts.error(), options.spark.lake, store.url()));
  return counts;
}

}  // namespace pinflow::lake
