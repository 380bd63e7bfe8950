#include "lake/cleaning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "lake/engine.h"

namespace pinflow::lake {
namespace {

using sql::quote_name;
using sql::quote_text;

bool of_a_word(char byte) { return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_' || byte == '$'; }

// Behind the quoted text, the comment or the single byte that begins at `at`.
size_t behind_token(std::string_view sql, size_t at) {
  const char first = sql[at];
  if (first == '\'' || first == '"' || first == '`') {
    const size_t close = sql.find(first, at + 1);  // a doubled quote is two tokens side by side, which is as good
    return close == std::string_view::npos ? sql.size() : close + 1;
  }
  if (sql.substr(at).starts_with("--")) {
    const size_t newline = sql.find('\n', at);
    return newline == std::string_view::npos ? sql.size() : newline;
  }
  if (sql.substr(at).starts_with("/*")) {
    const size_t close = sql.find("*/", at + 2);
    return close == std::string_view::npos ? sql.size() : close + 2;
  }
  return at + 1;
}

std::string table_name(const pipeline::RecordType& record) { return quote_name("cleaned_" + record.name); }

std::string raw_view(const pipeline::RecordType& record) {
  std::string fields;
  for (size_t i = 0; i < record.fields.size(); ++i)
    fields += fmt::format("field_{} AS {}, ", i, quote_name(record.fields[i]));
  return fmt::format("CREATE OR REPLACE TEMP VIEW raw AS SELECT {}origin FROM pinflow_rows({})", fields,
                     quote_text(source_name_of(record)));
}

std::unexpected<Error> bad_shape(const pipeline::RecordType& record, const std::string& what) {
  return invalid(
      "{}: {}; a cleaning answers the columns of the table {} in their order, then reason, count_… and origin",
      record.cleaning.file.string(), what, record.table);
}

// A TIMESTAMP is UTC: as TIMESTAMPTZ it is the same number, which the cast would compute by way of the calendar.
std::string cast_of(const pipeline::Column& column, const std::string& type) {
  const std::string name = quote_name(column.name);
  if (column.type == pipeline::Type::timestamp && type == "TIMESTAMP") {
    return fmt::format("make_timestamptz(epoch_us({0})) AS {0}", name);
  }
  return fmt::format("CAST({0} AS {1}) AS {0}", name, sql_name_of(column.type));
}

// Over the good records only: a dead letter's faults are its reason's business.
std::string sum_of(const std::string& column) {
  return fmt::format(", CAST(COALESCE(sum({}) FILTER (reason IS NULL), 0) AS BIGINT)", column);
}

}  // namespace

std::string body_of(const pipeline::RecordType& record, const std::string& date) {
  std::string text = with_date(record.cleaning.text, date);
  while (!text.empty() && (std::isspace(static_cast<unsigned char>(text.back())) != 0 || text.back() == ';'))
    text.pop_back();
  return text;
}

sql::Origin origin_of(const pipeline::RecordType& record, int first_line) {
  const auto lines = static_cast<int>(std::ranges::count(record.cleaning.text, '\n')) + 1;
  return {record.cleaning.file.string(), first_line, lines};
}

Result<std::vector<std::string>> check_shape(const pipeline::RecordType& record,
                                             const std::vector<std::string>& names) {
  size_t at = 0;
  for (const pipeline::Column& column : record.columns) {
    if (at == names.size()) return bad_shape(record, fmt::format("the column {} is missing", column.name));
    if (names[at] != column.name) {
      return bad_shape(record, fmt::format("column {} is {}, not {}", at + 1, names[at], column.name));
    }
    ++at;
  }
  if (at == names.size() || names[at] != "reason") return bad_shape(record, "the column reason is missing");
  std::vector<std::string> counts;
  for (++at; at < names.size() && names[at].starts_with("count_"); ++at) counts.push_back(names[at].substr(6));
  if (at == names.size() || names[at] != "origin") return bad_shape(record, "the column origin is missing");
  if (at + 1 < names.size()) return bad_shape(record, fmt::format("there is a column {} too many", names[at + 1]));
  return counts;
}

std::string with_date(std::string_view sql, std::string_view date) {
  constexpr std::string_view kLabel = "$date";
  std::string out;
  for (size_t at = 0; at < sql.size();) {
    const bool begins = at == 0 || !of_a_word(sql[at - 1]);
    if (begins && sql.substr(at).starts_with(kLabel) &&
        (at + kLabel.size() == sql.size() || !of_a_word(sql[at + kLabel.size()]))) {
      out += quote_text(date);
      at += kLabel.size();
      continue;
    }
    const size_t behind = behind_token(sql, at);
    out += sql.substr(at, behind - at);
    at = behind;
  }
  return out;
}

Result<> run_prelude(sql::Connection& sql, const pipeline::Pipeline& pipeline) {
  const auto prelude = pipeline.preludes.find("duckdb");
  if (prelude == pipeline.preludes.end()) return {};
  return sql.execute(prelude->second.text, {prelude->second.file.string()});
}

std::string source_name_of(const pipeline::RecordType& record) { return "records_" + record.name; }

Result<PreparedCleaning> prepare_cleaning(sql::Connection& sql, const pipeline::RecordType& record,
                                          const std::string& date) {
  PreparedCleaning prepared;
  prepared.view = raw_view(record);
  prepared.name = table_name(record);
  if (auto made = sql.execute(prepared.view); !made) return pass(made.error());
  const std::string body = body_of(record, date);
  const auto described = sql.query("DESCRIBE\n" + body, origin_of(record, 2));
  if (!described) return pass(described.error());
  std::vector<std::string> names;
  for (const auto& row : described->rows) names.push_back(row[0].text());
  auto counts = check_shape(record, names);
  if (!counts) return pass(counts.error());
  prepared.counts = std::move(*counts);

  std::string casts;
  for (size_t i = 0; i < record.columns.size(); ++i) {
    prepared.columns += (i == 0 ? "" : ", ") + quote_name(record.columns[i].name);
    casts += cast_of(record.columns[i], described->rows[i][1].text()) + ", ";
  }
  std::string sums;
  std::string count_columns;
  for (const std::string& count : prepared.counts) {
    const std::string name = quote_name("count_" + count);
    count_columns += fmt::format("CAST({0} AS BIGINT) AS {0}, ", name);
    sums += sum_of(name);
  }
  sums += sum_of("missing_fields") + sum_of("unknown_fields");
  prepared.make = fmt::format(
      "CREATE OR REPLACE TEMP TABLE {} AS SELECT {}"
      "CASE origin & 3 WHEN {} THEN {} WHEN {} THEN {} ELSE CAST(reason AS VARCHAR) END AS reason, {}"
      "CAST((origin >> {}) & 255 AS UTINYINT) AS missing_fields, CAST((origin >> {}) & 255 AS UTINYINT) AS "
      "unknown_fields, "
      "origin >> {} AS line FROM (\n{}\n)",
      prepared.name, casts, static_cast<int>(Fault::not_an_object), quote_text(kNotAnObject),
      static_cast<int>(Fault::too_long), quote_text(kTooLong), count_columns, kMissingShift, kUnknownShift, kLineShift,
      body);
  prepared.totals = fmt::format("SELECT count(*), count(reason){} FROM {}", sums, prepared.name);
  return prepared;
}

Result<Cleaned> run_cleaning(sql::Connection& sql, const pipeline::RecordType& record, const PreparedCleaning& cleaning,
                             const std::function<Met()>& met) {
  Cleaned cleaned{cleaning.name, cleaning.columns, cleaning.counts, 0, 0, {}};
  if (auto done = sql.execute(cleaning.make, origin_of(record, 2)); !done) return pass(done.error());
  const auto totals = sql.query(cleaning.totals);
  if (!totals) return pass(totals.error());
  const auto& row = totals->rows[0];
  cleaned.raw = row[0].integer();
  cleaned.dead = row[1].integer();
  for (size_t i = 0; i < cleaned.counts.size(); ++i)
    cleaned.noted.emplace_back(cleaned.counts[i], row[2 + i].integer());
  const Met all = met();
  if (all.lines != cleaned.raw) {
    return invalid("{}: {} rows were made of {} records; a cleaning makes one row of each record",
                   record.cleaning.file.string(), cleaned.raw, all.lines);
  }
  cleaned.noted.emplace_back("missing_fields", row[2 + cleaned.counts.size()].integer() + all.missing);
  cleaned.noted.emplace_back("unknown_fields", row[3 + cleaned.counts.size()].integer() + all.unknown);
  return cleaned;
}

Result<Cleaned> clean(sql::Database& database, sql::Connection& sql, const pipeline::RecordType& record,
                      const std::shared_ptr<RecordSource>& source, const std::string& date) {
  sql::put_source(database, source_name_of(record), source);
  const auto prepared = prepare_cleaning(sql, record, date);
  if (!prepared) return pass(prepared.error());
  auto cleaned = run_cleaning(sql, record, *prepared, [&source] {
    const RecordSource::Totals totals = source->totals();
    return Met{totals.lines, totals.missing, totals.unknown};
  });
  if (!cleaned) return cleaned;
  if (auto apart = check_no_overlap(source->objects(), source->totals().ends); !apart) return pass(apart.error());
  return cleaned;
}

Result<> forget(sql::Database& database, sql::Connection& sql, const pipeline::RecordType& record) {
  auto dropped = sql.execute("DROP VIEW IF EXISTS raw; DROP TABLE IF EXISTS " + table_name(record));
  sql::drop_source(database, source_name_of(record));
  return dropped;
}

std::string dead_letters_of(const pipeline::RecordType& record, const Cleaned& cleaned, int64_t plan) {
  return fmt::format(
      "SELECT CAST({} AS VARCHAR) AS \"table\", c.reason AS reason, CAST({} AS VARCHAR) AS topic, "
      "CAST(r.\"partition\" AS INTEGER) AS \"partition\", r.object AS object, r.\"offset\" AS \"offset\", "
      "r.record AS record, CAST({} AS BIGINT) AS plan "
      "FROM pinflow_rows({}) r JOIN {} c ON r.line = c.line WHERE c.reason IS NOT NULL",
      quote_text(record.table), quote_text(record.topic), plan, quote_text(source_name_of(record)), cleaned.name);
}

}  // namespace pinflow::lake
