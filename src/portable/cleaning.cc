// A cleaning is row-local: one record in, one row out, whatever else is in the batch, and the same at any time.
#include <algorithm>
#include <array>

#include "portable/rules.h"

namespace pinflow::portable {
namespace {

constexpr auto kAggregates = std::to_array<std::string_view>({"count",
                                                              "sum",
                                                              "avg",
                                                              "mean",
                                                              "min",
                                                              "max",
                                                              "any_value",
                                                              "first",
                                                              "last",
                                                              "max_by",
                                                              "min_by",
                                                              "array_agg",
                                                              "listagg",
                                                              "string_agg",
                                                              "median",
                                                              "mode",
                                                              "percentile_cont",
                                                              "percentile_disc",
                                                              "stddev",
                                                              "stddev_pop",
                                                              "stddev_samp",
                                                              "variance",
                                                              "var_pop",
                                                              "var_samp",
                                                              "corr",
                                                              "covar_pop",
                                                              "covar_samp",
                                                              "bool_and",
                                                              "bool_or",
                                                              "bit_and",
                                                              "bit_or",
                                                              "bit_xor",
                                                              "count_if",
                                                              "approx_count_distinct",
                                                              "grouping",
                                                              "arg_max",
                                                              "arg_min",
                                                              "list",
                                                              "collect_list",
                                                              "collect_set",
                                                              "kurtosis",
                                                              "skewness",
                                                              "quantile",
                                                              "quantile_cont",
                                                              "quantile_disc",
                                                              "percentile",
                                                              "percentile_approx",
                                                              "histogram"});
constexpr auto kClock = std::to_array<std::string_view>(
    {"current_date", "current_timestamp", "current_time", "localtimestamp", "localtime", "now", "today",
     "get_current_timestamp", "transaction_timestamp", "curdate", "unix_timestamp"});
constexpr auto kRandom =
    std::to_array<std::string_view>({"random", "rand", "randn", "uuid", "gen_random_uuid", "uuidv4", "uuidv7",
                                     "setseed", "shuffle", "nextval", "monotonically_increasing_id"});

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& all, std::string_view word) {
  return std::ranges::find(all, word) != all.end();
}

void judge_calls(const Code& code, size_t i, Findings& findings) {
  const std::string& name = code[i].lower;
  const bool called = code.call(i);
  if (called && is_one_of(kAggregates, name)) {
    findings.add(code[i], "row-local", fmt::format("{}() looks at several records", code[i].text),
                 "values of the one record");
  }
  const bool alone = name.starts_with("current_") || name.starts_with("local");  // called without brackets, too
  const bool qualified = i > 0 && code.symbol(i - 1, ".");
  if (is_one_of(kClock, name) && (called || alone) && !qualified) {
    findings.add(code[i], "row-local", fmt::format("{} is another one when the record is cleaned again", code[i].text),
                 "a field of the record, or $date");
  }
  if (called && is_one_of(kRandom, name)) {
    findings.add(code[i], "row-local",
                 fmt::format("{}() is another one when the record is cleaned again", code[i].text),
                 "a field of the record");
  }
}

void judge_clause(const Code& code, size_t i, Findings& findings) {
  const auto refuse = [&](std::string_view what, std::string_view instead) {
    findings.add(code[i], "row-local", std::string(what), std::string(instead));
  };
  const bool by = code.word(i + 1, "by");
  if (code.word(i, "distinct") && !(i > 0 && (code.word(i - 1, "is") || code.word(i - 1, "not"))))
    refuse("DISTINCT looks at several records", "nothing: repeats are dropped after the cleaning");
  if (code.word(i, "limit")) refuse("LIMIT leaves records out", "nothing, or a reason for those that are not wanted");
  if (code.any_word(i, {"order", "sort", "cluster", "distribute"}) && by)
    refuse("a cleaning has no order", "nothing: queries give the order");
  if (code.word(i, "group") && by) refuse("GROUP BY looks at several records", "values of the one record");
  if (code.any_word(i, {"having", "qualify"}))
    refuse("this looks at several records", "a reason for those that are not wanted");
  if (code.word(i, "over") && (code.symbol(i + 1, "(") || code.name(i + 1)) && i > 0 && code.symbol(i - 1, ")"))
    refuse("a window looks at several records", "values of the one record");
  if (code.word(i, "join")) refuse("a join looks at other records", "fields of the one record; queries join tables");
  if (code.any_word(i, {"union", "intersect", "minus"}) ||
      (code.word(i, "except") && !(i > 0 && code.symbol(i - 1, "*"))))
    refuse("a cleaning makes one row of each record", "CASE");
  if (code.any_word(i, {"tablesample"})) refuse("a sample leaves records out", "nothing");
  if (code.word(i, "where"))
    refuse("WHERE leaves records out", "a reason for those that are not wanted: they become dead letters");
}

// The words FROM of extract(… FROM …) and the like are none.
void judge_from(const Code& code, size_t i, Findings& findings) {
  if (!code.word(i, "from") || (i > 0 && code.word(i - 1, "distinct"))) return;
  const size_t around = code.open(i);
  if (around != kNone && around > 0 && code.symbol(around, "(") && code.call(around - 1)) return;
  const bool known = code.symbol(i + 1, "(") || code.word(i + 1, "raw") ||
                     (code.name(i + 1) && code.is_common_table(code[i + 1].lower));
  if (!known && i + 1 < code.size()) {
    findings.add(code[i + 1], "row-local", fmt::format("a cleaning reads the view raw, not {}", code[i + 1].text),
                 "FROM raw");
  }
  for (size_t end = i + 1; end < code.size() && code.open(end) == around; ++end) {
    if (code.match(end) != kNone && code.match(end) > end) end = code.match(end);
    if (code.symbol(end + 1, ",") && code.open(end + 1) == around) {
      const bool next_common = code.name(end + 2) && code.word(end + 3, "as") && code.symbol(end + 4, "(");
      if (!next_common)
        findings.add(code[end + 1], "row-local", "a join looks at other records", "fields of the one record");
      return;
    }
    if (code.any_word(end + 1, {"where", "group", "order", "limit", "qualify", "having", "union"})) return;
  }
}

void judge_subquery(const Code& code, size_t i, Findings& findings) {
  if (!code.word(i, "select") || i < 2 || !code.symbol(i - 1, "(")) return;
  if (code.any_word(i - 2, {"from", "as"}) || code.symbol(i - 2, "(")) return;  // FROM (SELECT …), WITH … AS (SELECT …)
  findings.add(code[i], "row-local", "a SELECT within an expression looks at other records",
               "values of the one record");
}

}  // namespace

void judge_cleaning(const Judged& judged, Findings& findings) {
  const Code& code = judged.code;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code[i].kind != Kind::word) continue;
    judge_calls(code, i, findings);
    judge_clause(code, i, findings);
    judge_from(code, i, findings);
    judge_subquery(code, i, findings);
  }
}

}  // namespace pinflow::portable
