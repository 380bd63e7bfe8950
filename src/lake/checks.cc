#include "lake/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/clock.h"
#include "lake/cleaning.h"

namespace pinflow::lake {

Result<std::vector<CheckResult>> run_checks(const pipeline::Pipeline& pipeline, QuerySession& session,
                                            const std::string& date) {
  std::vector<CheckResult> all;
  for (const pipeline::Check& check : pipeline.checks) {
    const Stopwatch clock;
    std::string text = with_date(check.sql.text, date);
    while (!text.empty() && (std::isspace(static_cast<unsigned char>(text.back())) != 0 || text.back() == ';'))
      text.pop_back();
    const auto lines = static_cast<int>(std::ranges::count(text, '\n')) + 1;
    auto rows = session.ask(fmt::format("SELECT * FROM (\n{}\n) LIMIT {}", text, kCheckRows + 1),
                            {check.sql.file.string(), 2, lines});
    if (!rows) return pass(rows.error(), "the check '{}'", check.name);
    CheckResult& result = all.emplace_back();
    result.name = check.name;
    result.title = check.title;
    result.fails = check.fails;
    result.rows = std::move(*rows);
    result.more = result.rows.rows.size() > kCheckRows;
    if (result.more) result.rows.rows.resize(kCheckRows);
    result.seconds = clock.seconds();
  }
  return all;
}

bool any_failed(const std::vector<CheckResult>& checks) {
  return std::ranges::any_of(checks, [](const CheckResult& check) { return check.fails && !check.well(); });
}

}  // namespace pinflow::lake
