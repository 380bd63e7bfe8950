#include "app/run_report.h"

#include <fmt/format.h>

#include "app/answers.h"
#include "base/json.h"

namespace pinflow::app {
namespace {

// Nothing new in any table although records came: all of them are repeats or dead.
std::string why_no_growth(const LegCounts& c, std::string_view dead_table) {
  if (sum_of(c.raw) == 0 || sum_of(c.clean) > 0) return {};
  std::string why = fmt::format("The tables did not grow: {} of {} records are repeats of rows that are there",
                                grouped(sum_of(c.duplicates)), grouped(sum_of(c.raw)));
  if (sum_of(c.dead) > 0)
    why += fmt::format(", {} are dead letters (pinflow tables show {})", grouped(sum_of(c.dead)), dead_table);
  return why + ".\nRun with another --seed for other posts, or with --keep-repeats to keep them.\n\n";
}

}  // namespace

std::string as_json(const RunReport& report) {
  JsonWriter json;
  json.begin_object().key("counts");
  write_json(json, report.batch, report.stream);
  json.key("seconds").begin_object().key("total").number(report.total_seconds);
  for (const auto& [step, seconds] : report.seconds) json.key(step).number(seconds);
  json.end_object().key("answers").begin_object();
  for (const Answer& answer : report.answers) json.key(answer.name).raw(sql::as_json(answer.table));
  json.end_object();
  if (!report.checks.empty()) {
    json.key("checks").begin_object();
    for (const lake::CheckResult& check : report.checks) {
      json.key(check.name).begin_object().key("title").string(check.title);
      json.key("severity").string(check.fails ? "fail" : "warn").key("well").boolean(check.well());
      json.key("rows").raw(sql::as_json(check.rows)).key("more").boolean(check.more).end_object();
    }
    json.end_object();
  }
  if (!report.differences.empty()) {
    json.key("differences").begin_array();
    for (const std::string& difference : report.differences) json.string(difference);
    json.end_array();
  }
  json.end_object();
  return json.take();
}

std::string as_text(const std::vector<lake::CheckResult>& checks) {
  std::string text;
  for (const lake::CheckResult& check : checks) {
    if (check.well()) continue;
    const size_t rows = check.rows.rows.size();
    text += fmt::format("Check {}: {} has {}{} rows that it should not have\n", check.fails ? "FAILED" : "warns",
                        check.name, check.more ? "more than " : "", rows);
    text += titled(check.name, check.title, check.rows, 0);
  }
  if (lake::any_failed(checks))
    text += "The answers are not published: those of the last good batch stay. The tables have the new rows.\n\n";
  return text;
}

std::string as_text(const RunReport& report) {
  std::string text = as_text(report.checks);
  for (const Answer& answer : report.answers) text += titled(answer.name, answer.title, answer.table, kShownRows);
  if (report.with_batch) {
    text += "Counts, from station to station\n" + as_text(report.batch) + "\n" + why_no_growth(report.batch, "dead");
  }
  if (report.stream) {
    text += "Counts of the streaming leg\n" + as_text(*report.stream, Stations::stream) + "\n";
    if (!report.with_batch) text += why_no_growth(*report.stream, "dead_stream");
  }
  text += fmt::format("Done in {:.1f} s:", report.total_seconds);
  for (const auto& [step, seconds] : report.seconds) text += fmt::format(" {} {:.1f}", step, seconds);
  text += "\n";
  return text;
}

}  // namespace pinflow::app
