#include "portable/check.h"

#include <algorithm>
#include <cctype>

#include "portable/prelude.h"
#include "portable/rules.h"

namespace pinflow::portable {
namespace {

constexpr size_t kShown = 20;

std::string lowered(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return text;
}

std::map<std::string, std::set<size_t>> own_functions(const pipeline::Pipeline& pipeline) {
  std::map<std::string, std::set<size_t>> own;
  for (const auto& [engine, prelude] : pipeline.preludes) {
    for (const OwnFunction& function : functions_of(prelude.text)) own[function.name].insert(function.parameters);
  }
  return own;
}

void judge(const Judged& judged, std::vector<Finding>& all) {
  Findings findings(judged.sql.file.string());
  judge_spelling(judged, findings);
  judge_functions(judged, findings);
  judge_patterns(judged, findings);
  judge_casts(judged, findings);
  judge_clauses(judged, findings);
  judge_answers(judged, findings);
  if (judged.cleaning) judge_cleaning(judged, findings);
  std::ranges::move(findings.sorted(), std::back_inserter(all));
}

// What stands in the tables.
struct Tables {
  std::set<std::string> texts, doubles, times;
  std::map<std::string, std::string> names;
};

Tables tables_of(const pipeline::Pipeline& pipeline) {
  Tables all;
  for (const pipeline::RecordType& record : pipeline.records) {
    for (const pipeline::Column& column : record.columns) {
      const std::string name = lowered(column.name);
      all.names[name] = column.name;
      if (column.type == pipeline::Type::string) all.texts.insert(name);
      if (column.type == pipeline::Type::double_) all.doubles.insert(name);
      if (column.type == pipeline::Type::timestamp) all.times.insert(name);
    }
  }
  return all;
}

Result<> refuse(const std::vector<Finding>& found) {
  if (found.empty()) return {};
  std::string text;
  for (size_t i = 0; i < found.size() && i < kShown; ++i) text += (i == 0 ? "" : "\n") + found[i].text();
  if (found.size() > kShown) text += fmt::format("\n… and {} more: pinflow check", found.size() - kShown);
  return invalid("{}", text);
}

}  // namespace

std::string Finding::text() const { return fmt::format("{}:{}:{}: {}; write {}", file, line, column, what, instead); }

std::vector<Finding> check(const pipeline::Pipeline& pipeline) {
  std::vector<Finding> all = compare_preludes(pipeline);
  const auto own = own_functions(pipeline);
  const Tables tables = tables_of(pipeline);
  for (const pipeline::RecordType& record : pipeline.records) {
    Judged cleaning{record.cleaning, Code(record.cleaning.text), true, {}, {}, {}, {}, own};
    for (const std::string& field : record.fields) cleaning.texts.insert(lowered(field));
    judge(cleaning, all);
  }
  const auto judge_query = [&](const pipeline::Sql& sql) {
    judge({sql, Code(sql.text), false, tables.texts, tables.doubles, tables.times, tables.names, own}, all);
  };
  for (const pipeline::Check& check : pipeline.checks) judge_query(check.sql);
  for (const pipeline::Query& query : pipeline.queries) judge_query(query.sql);
  return all;
}

std::vector<Finding> check_queries(const pipeline::Pipeline& pipeline, const std::vector<std::string>& names) {
  std::vector<Finding> all = compare_preludes(pipeline);
  const auto own = own_functions(pipeline);
  const Tables tables = tables_of(pipeline);
  for (const pipeline::Query& query : pipeline.queries) {
    if (!names.empty() && std::ranges::find(names, query.name) == names.end()) continue;
    judge({query.sql, Code(query.sql.text), false, tables.texts, tables.doubles, tables.times, tables.names, own}, all);
  }
  return all;
}

Result<> require_portable(const pipeline::Pipeline& pipeline) { return refuse(check(pipeline)); }

Result<> require_portable(const pipeline::Pipeline& pipeline, const std::vector<std::string>& queries) {
  return refuse(check_queries(pipeline, queries));
}

}  // namespace pinflow::portable
