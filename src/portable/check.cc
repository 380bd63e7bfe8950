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
  if (judged.cleaning) judge_cleaning(judged, findings);
  std::ranges::move(findings.sorted(), std::back_inserter(all));
}

}  // namespace

std::string Finding::text() const { return fmt::format("{}:{}:{}: {}; write {}", file, line, column, what, instead); }

std::vector<Finding> check(const pipeline::Pipeline& pipeline) {
  std::vector<Finding> all = compare_preludes(pipeline);
  const auto own = own_functions(pipeline);
  std::set<std::string> texts, doubles;
  for (const pipeline::RecordType& record : pipeline.records) {
    Judged cleaning{record.cleaning, Code(record.cleaning.text), true, {}, {}, own};
    for (const std::string& field : record.fields) cleaning.texts.insert(lowered(field));
    judge(cleaning, all);
    for (const pipeline::Column& column : record.columns) {
      if (column.type == pipeline::Type::string) texts.insert(lowered(column.name));
      if (column.type == pipeline::Type::double_) doubles.insert(lowered(column.name));
    }
  }
  const auto judge_query = [&](const pipeline::Sql& sql) {
    judge({sql, Code(sql.text), false, texts, doubles, own}, all);
  };
  for (const pipeline::Check& check : pipeline.checks) judge_query(check.sql);
  for (const pipeline::Query& query : pipeline.queries) judge_query(query.sql);
  return all;
}

Result<> require_portable(const pipeline::Pipeline& pipeline) {
  const std::vector<Finding> found = check(pipeline);
  if (found.empty()) return {};
  std::string text;
  for (size_t i = 0; i < found.size() && i < kShown; ++i) text += (i == 0 ? "" : "\n") + found[i].text();
  if (found.size() > kShown) text += fmt::format("\n… and {} more: pinflow check", found.size() - kShown);
  return invalid("{}", text);
}

}  // namespace pinflow::portable
