#include "lake/spark_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "lake/cleaning.h"
#include "lake/spark_files.h"
#include "lake/spark_lake.h"
#include "lake/spark_lines.h"
#include "lake/spark_raw.h"
#include "lake/spark_totals.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

using spark::quote_name;
using spark::quote_text;

constexpr size_t kMostNamed = 1000;  // objects that one condition names; beyond it lines of all are numbered

// What clean() keeps of a record type.
struct Kept {
  std::vector<TopicObject> objects;
  LineChoice choice;  // which of them are read in part, or begin with a mark
  std::vector<std::string> counts;
  std::string columns;  // the table's, quoted, with commas
  std::string date;
  int64_t good = 0;
  std::set<size_t> with_dead;  // objects that hold dead letters
  int64_t dead = 0;
};

class SparkEngine final : public Engine {
 public:
  SparkEngine(spark::Session& session, object::Store& store, std::string lake)
      : spark_(session), store_(store), lake_(std::move(lake)) {}

  Result<CleanedCounts> clean(const pipeline::RecordType& record, std::vector<TopicObject> objects,
                              const std::string& date) override {
    return here(clean_there(record, std::move(objects), date));
  }

  Result<std::vector<delta::DataFile>> write_dead(const std::vector<const pipeline::RecordType*>& records,
                                                  int64_t plan) override {
    return here(write_dead_there(records, plan));
  }

  Result<WrittenFiles> write_rows(const pipeline::RecordType& record, bool drop_repeats,
                                  const std::optional<delta::Snapshot>& before) override {
    return here(write_rows_there(record, drop_repeats, before));
  }

  Result<> forget(const pipeline::RecordType& record) override {
    kept_.erase(record.name);
    return spark_.execute(fmt::format("DROP VIEW IF EXISTS {}; DROP VIEW IF EXISTS {}", view_of(record),
                                      quote_name("dead_" + record.name)));
  }

 private:
  // What was missed in the lake may be looked for in the wrong place.
  template <class T>
  Result<T> here(Result<T> result) const {
    if (!result) return pass(at_lake(result.error(), lake_, store_.url()));
    return result;
  }

  Result<CleanedCounts> clean_there(const pipeline::RecordType& record, std::vector<TopicObject> objects,
                                    const std::string& date) {
    Kept kept;
    kept.objects = std::move(objects);
    kept.date = date;
    for (size_t i = 0; i < kept.objects.size(); ++i) {
      if (kept.objects[i].first_offset < kept.objects[i].from) kept.choice.numbered.insert(i);
    }
    for (const pipeline::Column& column : record.columns)
      kept.columns += (kept.columns.empty() ? "" : ", ") + quote_name(column.name);
    auto counts = counts_of(record, kept);
    if (!counts) return pass(counts.error());
    kept.counts = std::move(*counts);
    SparkTotals totals;
    for (;;) {  // at most thrice: the first pass finds what must be read in part, or with its mark
      if (kept.objects.empty()) break;
      if (auto made = make_view(record, kept, view_of(record), kept.choice); !made) return pass(made.error());
      auto met = read_spark_totals(spark_, view_of(record), kept.counts);
      if (!met) return pass(met.error(), "{}", record.cleaning.file.string());
      auto whole = count_whole(record, kept, kept.choice.numbered);
      if (!whole) return pass(whole.error());
      const auto judged = judge_totals(kept.objects, *met, *whole, kept.choice);
      if (!judged) return pass(judged.error());
      if (judged->suspects.empty() && !judged->again) {
        totals = std::move(*met);
        totals.ends = judged->ends;
        break;
      }
      if (judged->again) {
        kept.choice = judged->choice;
        continue;
      }
      return explain(record, kept, *met, judged->suspects);
    }
    if (auto apart = check_no_overlap(kept.objects, totals.ends); !apart) return pass(apart.error());
    CleanedCounts cleaned{totals.raw, totals.dead, {}, kept.objects, totals.ends};
    for (size_t i = 0; i < kept.counts.size(); ++i)
      cleaned.noted.emplace_back(kept.counts[i], totals.noted.empty() ? 0 : totals.noted[i]);
    cleaned.noted.emplace_back("missing_fields", totals.missing);
    cleaned.noted.emplace_back("unknown_fields", totals.unknown);
    kept.good = totals.raw - totals.dead;
    kept.dead = totals.dead;
    for (size_t i = 0; i < kept.objects.size(); ++i) {
      const auto at = totals.objects.find({kept.objects[i].partition, kept.objects[i].first_offset});
      if (at != totals.objects.end() && at->second.dead > 0) kept.with_dead.insert(i);
    }
    kept_.insert_or_assign(record.name, std::move(kept));
    return cleaned;
  }

  Result<std::vector<delta::DataFile>> write_dead_there(const std::vector<const pipeline::RecordType*>& records,
                                                        int64_t plan) {
    std::string letters;
    int64_t expected = 0;
    for (const pipeline::RecordType* record : records) {
      const Kept& kept = kept_.at(record->name);
      if (kept.dead == 0) continue;
      expected += kept.dead;
      LineChoice choice = kept.choice;
      choice.numbered = kept.with_dead;
      choice.only_numbered = true;
      if (choice.numbered.size() > kMostNamed) {
        for (size_t i = 0; i < kept.objects.size(); ++i) choice.numbered.insert(choice.numbered.end(), i);
      }
      const std::string view = quote_name("dead_" + record->name);
      if (auto made = make_view(*record, kept, view, choice); !made) return pass(made.error());
      letters += fmt::format(
          "{}SELECT {} AS `table`, reason, {} AS topic, origin.part AS `partition`, concat({}, origin.part, '/', "
          "origin.file) AS object, origin.first + origin.n AS `offset`, {} AS record, CAST({} AS BIGINT) AS plan FROM "
          "{} WHERE reason IS NOT NULL",
          letters.empty() ? "" : " UNION ALL ", quote_text(record->table), quote_text(record->topic),
          quote_text("topics/" + record->topic + "/partition="), spark_shown_sql("origin.value", "origin.fault"), plan,
          view);
    }
    if (letters.empty()) return std::vector<delta::DataFile>();
    auto files = write_with_spark(spark_, store_, lake_, kDeadTable, fmt::format("plan-{:010}", plan),
                                  "SELECT /*+ REBALANCE */ * FROM (" + letters + ")", dead_columns());
    if (!files) return files;
    if (rows_of(*files) != expected) {
      return corrupt("Spark counted {} dead letters, and then wrote {}: a cleaning answers differently from run to run",
                     expected, rows_of(*files));
    }
    return files;
  }

  Result<WrittenFiles> write_rows_there(const pipeline::RecordType& record, bool drop_repeats,
                                        const std::optional<delta::Snapshot>& before) {
    const Kept& kept = kept_.at(record.name);
    if (kept.good == 0) return WrittenFiles{};
    const std::string view = view_of(record);
    const std::string good = fmt::format("SELECT {} FROM {} WHERE reason IS NULL", kept.columns, view);
    std::string rows = "SELECT /*+ REBALANCE */ * FROM (" + good + ")";
    if (drop_repeats && before && !before->files.empty()) {
      // Of the table only rows with a key of the plan are compared.
      const std::string key = quote_name(record.key);
      rows = fmt::format(
          "{0} EXCEPT (SELECT {1} FROM (SELECT * FROM {2}) t LEFT SEMI JOIN (SELECT {3} AS pf_key FROM {4} WHERE "
          "reason "
          "IS NULL) g ON t.{3} <=> g.pf_key)",
          good, kept.columns, spark_table(lake_, record.table, before->version), key, view);
    } else if (drop_repeats) {
      rows = fmt::format("SELECT DISTINCT {} FROM {} WHERE reason IS NULL", kept.columns, view);
    }
    auto files = write_with_spark(spark_, store_, lake_, record.table, "plan", rows, delta_columns(record.columns));
    if (!files) return pass(files.error(), "writing rows of the table {}", record.table);
    WrittenFiles written{std::move(*files), 0, 0};
    written.clean = rows_of(written.files);
    written.duplicates = kept.good - written.clean;
    if (written.duplicates < 0 || (!drop_repeats && written.duplicates != 0)) {
      return corrupt(
          "Spark cleaned {} good records of {}, and then wrote {} rows: a cleaning answers differently from "
          "run to run",
          kept.good, record.topic, written.clean);
    }
    return written;
  }

  static std::string view_of(const pipeline::RecordType& record) { return quote_name("cleaned_" + record.name); }

  // The raw view, as a cleaning's first WITH; without a newline, so that the cleaning begins on the second line.
  std::string with_raw(const pipeline::RecordType& record, const Kept& kept, const LineChoice& choice) const {
    const std::string lines =
        kept.objects.empty() ? "SELECT '' AS value, 0 AS part, 0L AS first, '' AS file, 0L AS n, 0 AS bytes WHERE false"
                             : spark_lines_sql(lake_, record.topic, kept.objects, choice);
    std::string fields;
    for (size_t i = 0; i < record.fields.size(); ++i)
      fields += fmt::format("field_{} AS {}, ", i, quote_name(record.fields[i]));
    return fmt::format(
        "WITH raw AS (SELECT {}named_struct('fault', fault, 'missing', missing, 'unknown', unknown, 'part', part, "
        "'first', first, 'file', file, 'n', n, 'bytes', bytes, 'value', value) AS origin FROM ({}))",
        fields, spark_raw_sql(lines, record.fields));
  }

  Result<std::vector<std::string>> counts_of(const pipeline::RecordType& record, const Kept& kept) {
    const auto columns =
        spark_.columns(with_raw(record, kept, kept.choice) + " SELECT * FROM (\n" + body_of(record, kept.date) + "\n)",
                       origin_of(record, 2));
    if (!columns) return pass(columns.error());
    std::vector<std::string> names;
    for (const sql::ColumnInfo& column : *columns) names.push_back(column.name);
    return check_shape(record, names);
  }

  // A view of the cleaned rows: the table's columns as their types, reason, count_…, origin.
  Result<> make_view(const pipeline::RecordType& record, const Kept& kept, const std::string& view,
                     const LineChoice& choice) {
    std::string casts;
    for (const pipeline::Column& column : record.columns)
      casts += fmt::format("CAST({0} AS {1}) AS {0}, ", quote_name(column.name), name_of(column.type));
    std::string counts;
    for (const std::string& count : kept.counts)
      counts += fmt::format("CAST({0} AS BIGINT) AS {0}, ", quote_name("count_" + count));
    return spark_.execute(
        fmt::format("CREATE OR REPLACE TEMPORARY VIEW {} AS {} SELECT {}CASE origin.fault WHEN {} THEN {} WHEN {} THEN "
                    "{} ELSE CAST(reason AS STRING) END AS reason, {}origin FROM (\n{}\n)",
                    view, with_raw(record, kept, choice), casts, static_cast<int>(Fault::not_an_object),
                    quote_text(kNotAnObject), static_cast<int>(Fault::too_long), quote_text(kTooLong), counts,
                    body_of(record, kept.date)),
        origin_of(record, 2));
  }

  Result<SparkCounts> count_whole(const pipeline::RecordType& record, const Kept& kept, const std::set<size_t>& which) {
    if (which.empty()) return SparkCounts();
    return read_spark_counts(spark_, spark_line_counts_sql(lake_, record.topic, kept.objects, which));
  }

  // What Spark read is not what was listed, or the cleaning has lost or doubled rows: which?
  std::unexpected<Error> explain(const pipeline::RecordType& record, const Kept& kept, const SparkTotals& met,
                                 const std::set<size_t>& suspects) {
    const auto lines = count_whole(record, kept, {*suspects.begin()});
    if (!lines) return pass(lines.error());
    const TopicObject& object = kept.objects[*suspects.begin()];
    const std::pair<int32_t, int64_t> at(object.partition, object.first_offset);
    const SparkCount read = lines->contains(at) ? lines->at(at) : SparkCount();
    if (read.bytes == object.size || read.bytes == object.size + 1) {
      const int64_t rows = met.objects.contains(at) ? met.objects.at(at).rows : 0;
      return invalid("{}: of {} records of {} {} rows were made; a cleaning makes one row of each record",
                     record.cleaning.file.string(), read.rows, object.name, rows);
    }
    if (read.rows == 0) {
      return not_found(
          "Spark does not see {} in {}: is that {}? Set engine.paths in the profile to how Spark reaches "
          "the lake",
          object.name, lake_, store_.url());
    }
    return corrupt("{} has {} bytes, but Spark read {} of it", object.name, object.size, read.bytes);
  }

  spark::Session& spark_;
  object::Store& store_;
  const std::string lake_;
  std::map<std::string, Kept> kept_;  // by record type
};

}  // namespace

Result<std::unique_ptr<Engine>> open_spark_engine(spark::Session& session, const pipeline::Pipeline& pipeline,
                                                  object::Store& store, const std::string& lake) {
  if (auto known = run_spark_prelude(session, pipeline); !known) return pass(known.error());
  return std::make_unique<SparkEngine>(session, store, lake);
}

}  // namespace pinflow::lake
