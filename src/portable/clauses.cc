// Clauses: ORDER BY, SELECT lists, joins, what only one parser knows.
#include <algorithm>
#include <array>

#include "portable/rules.h"

namespace pinflow::portable {
namespace {

// Their type differs: BIGINT or HUGEINT in DuckDB, INT or BIGINT in Spark (percentile_disc: the column's, DOUBLE).
constexpr auto kOtherType = std::to_array<std::string_view>({"year",
                                                             "month",
                                                             "day",
                                                             "dayofmonth",
                                                             "dayofyear",
                                                             "weekofyear",
                                                             "quarter",
                                                             "hour",
                                                             "minute",
                                                             "second",
                                                             "extract",
                                                             "length",
                                                             "len",
                                                             "char_length",
                                                             "character_length",
                                                             "levenshtein",
                                                             "instr",
                                                             "position",
                                                             "sum",
                                                             "count_if",
                                                             "factorial",
                                                             "rank",
                                                             "dense_rank",
                                                             "row_number",
                                                             "ntile",
                                                             "percentile_disc",
                                                             "median",
                                                             "bit_count",
                                                             "grouping"});
// floor and ceil of a double: DOUBLE and BIGINT.
constexpr auto kOtherTypeOfDouble = std::to_array<std::string_view>({"floor", "ceil", "ceiling"});
// A value's type goes through these to the result.
constexpr auto kHandOn = std::to_array<std::string_view>(
    {"coalesce", "ifnull", "nullif",      "greatest",   "least",     "max", "min",  "any_value",
     "first",    "last",   "first_value", "last_value", "nth_value", "lag", "lead", "max_by",
     "min_by",   "mode",   "abs",         "round",      "mod",       "if"});

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& all, std::string_view word) {
  return std::ranges::find(all, word) != all.end();
}

// ---- ORDER BY ----

void judge_order(const Code& code, size_t order, Findings& findings) {
  const size_t around = code.open(order);
  if (around != kNone && code.symbol(around, "(") && around >= 2 && code.word(around - 1, "group") &&
      code.word(around - 2, "within"))
    return;  // WITHIN GROUP (ORDER BY …) leaves NULL out
  size_t end = order + 2;
  for (; end < code.size() && code.open(end) == around; ++end) {
    if (code.symbol(end, ")") || code.symbol(end, ";") || code.symbol(end, "|>")) break;
    if (code.any_word(end, {"limit", "offset", "rows", "range", "groups", "union", "intersect", "except", "fetch"}))
      break;
    if (code.match(end) != kNone && code.match(end) > end) end = code.match(end);
  }
  for (const Range& item : code.split({order + 2, end}, {","})) {
    if (item.empty()) continue;
    const bool says = code.split(item, {"nulls"}).size() > 1;
    const bool down = code.split(item, {"desc"}).size() > 1;
    if (!says && !down) {
      findings.add(code[item.from], "null-order", "in rising order NULL comes last in DuckDB and first in Spark",
                   "ORDER BY x NULLS LAST");
    }
  }
}

// ---- SELECT lists ----

std::string_view type_for(std::string_view function) {
  if (function == "median") return "DOUBLE";
  const bool large = is_one_of(kOtherTypeOfDouble, function) || function == "sum" || function == "percentile_disc" ||
                     function == "count_if" || function == "factorial";
  return large ? "BIGINT" : "INT";
}

// Whether the type of the call at i is the type of the item's column.
bool reaches_result(const Code& code, size_t i, Range item) {
  for (size_t inner = i, around = code.open(i);; inner = around, around = code.open(around)) {
    const size_t level_end = code.match(inner) != kNone && code.match(inner) > inner ? code.match(inner) : inner;
    if (code.symbol(level_end + 1, "::") ||
        (code.call(inner) && code.match(inner + 1) != kNone && code.symbol(code.match(inner + 1) + 1, "::")))
      return false;
    if (around == kNone || around < item.from) {  // the item's own level: a comparison is a boolean
      return code.split(item, {"=", "==", "<>", "!=", "<", ">", "<=", ">=", "between", "in", "is", "like", "and", "or",
                               "not", "||"})
                 .size() == 1;
    }
    if (code.word(around, "case")) {
      size_t word = inner;
      while (word > around && !(code.open(word) == around && code.any_word(word, {"when", "then", "else"}))) --word;
      if (!code.any_word(word, {"then", "else"})) return false;
      continue;
    }
    if (around > 0 && code.symbol(around, "(") && (code.name(around - 1) || code.word(around - 1, "in"))) {
      const std::string& name = code[around - 1].lower;
      const bool aggregate_of_it = name == "sum";
      if (code.call(around - 1) && !is_one_of(kHandOn, name) && !aggregate_of_it)
        return false;  // cast, substring, count, …
      if (code.any_word(around - 1, {"over", "group", "filter", "in", "exists"})) return false;
    }
    const Range level{around + 1, code.match(around) == kNone ? code.size() : code.match(around)};
    if (code.split(level, {"=", "==", "<>", "!=", "<", ">", "<=", ">=", "between", "in", "is", "and", "or"}).size() > 1)
      return false;
    if (code.word(level.from, "select")) return false;  // judged as a SELECT of its own
  }
}

void judge_items(const Judged& judged, const Select& select, std::string_view wanted, int depth, Findings& findings);

// The types of an item's column: of calls in it, or, where it is a name, of what bears that name further inside.
void judge_item(const Judged& judged, const Item& item, int depth, Findings& findings) {
  const Code& code = judged.code;
  const Range all = item.expression;
  const bool qualified = all.size() == 3 && code.symbol(all.from + 1, ".");
  const bool star = code.symbol(all.to - 1, "*") && (all.size() == 1 || qualified);
  if (star || ((all.size() == 1 || qualified) && code.name(all.to - 1))) {
    for (const Select& inner : code.selects()) {
      if (code.open(inner.at) != kNone)
        judge_items(judged, inner, star ? "*" : code[all.to - 1].lower, depth + 1, findings);
    }
    return;
  }
  const bool computed = code.split(all, {"+", "-", "*", "/", "%"}).size() > 1;
  if (computed && (kinds_of(judged, all) & kFraction) != 0) {
    findings.add(code[all.from], "result-type", "a computed DECIMAL has other digits in each engine",
                 "CAST(… AS DECIMAL(18, 3)), or AS DOUBLE");
  }
  for (size_t i = all.from; i < all.to; ++i) {
    if (!code.call(i) || judged.own.contains(code[i].lower)) continue;
    const auto arguments = code.arguments(i);
    const unsigned kinds = arguments.empty() ? kOther : kinds_of(judged, arguments[0]);
    const bool of_double = is_one_of(kOtherTypeOfDouble, code[i].lower) && (kinds & kDouble) != 0;
    const bool sum_of_double = code[i].lower == "sum" && kinds == kDouble;
    if ((!is_one_of(kOtherType, code[i].lower) && !of_double) || sum_of_double || !reaches_result(code, i, all))
      continue;
    findings.add(code[i], "result-type", fmt::format("the type of {}() is another one in each engine", code[i].text),
                 fmt::format("CAST({}(…) AS {})", code[i].text, type_for(code[i].lower)));
  }
}

// The items that bear the wanted name; "*": all, "": all of the result itself.
void judge_items(const Judged& judged, const Select& select, std::string_view wanted, int depth, Findings& findings) {
  for (const Item& item : select.items) {
    if (depth < 6 && (wanted.empty() || wanted == "*" || item.name == wanted))
      judge_item(judged, item, depth, findings);
  }
}

// ---- the rest ----

void judge_word(const Code& code, size_t i, Findings& findings) {
  const auto one_engine = [&](std::string_view engine, std::string_view instead) {
    findings.add(code[i], "clause", fmt::format("{} is {}'s alone", code[i].text, engine), std::string(instead));
  };
  const bool behind_star = i > 0 && code.symbol(i - 1, "*");
  if (behind_star && code.symbol(i + 1, "(") && code.any_word(i, {"exclude", "replace", "rename"}))
    one_engine("DuckDB", "the columns by name");
  if (behind_star && code.symbol(i + 1, "(") && code.word(i, "except")) one_engine("Spark", "the columns by name");
  if (behind_star && code.word(i, "exclude") && !code.symbol(i + 1, "(")) one_engine("DuckDB", "the columns by name");
  if (i > 0 && code.word(i, "div") && (code.name(i - 1) || code.symbol(i - 1, ")") || code[i - 1].kind == Kind::number))
    one_engine("Spark", "CAST(floor(a / NULLIF(b, 0)) AS BIGINT)");
  const bool operand_before = i > 0 && (code.name(i - 1) || code.symbol(i - 1, ")") || code[i - 1].kind == Kind::text);
  if (operand_before && code.any_word(i, {"rlike", "regexp"}) && !code.symbol(i + 1, "("))
    one_engine("Spark", "regexp_extract(x, '^…$', 0) = x");
  if (operand_before && code.word(i, "glob")) one_engine("DuckDB", "LIKE");
  if (code.word(i, "similar") && code.word(i + 1, "to")) one_engine("DuckDB", "regexp_extract(x, '^…$', 0) = x");
  if (operand_before && code.word(i, "minus") && (code.word(i + 1, "select") || code.symbol(i + 1, "(")))
    one_engine("Spark", "EXCEPT");
  if (code.word(i, "distinct") && code.word(i + 1, "on"))
    one_engine("DuckDB", "QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) = 1");
  if (code.any_word(i, {"sort", "cluster", "distribute"}) && code.word(i + 1, "by")) one_engine("Spark", "ORDER BY");
  if (code.word(i, "lateral") && code.word(i + 1, "view")) one_engine("Spark", "a function of the preludes");
  if (code.word(i, "semi") && i > 0 && code.word(i - 1, "left")) one_engine("Spark", "SEMI JOIN without LEFT");
  if (code.word(i, "anti") && i > 0 && code.word(i - 1, "left")) one_engine("Spark", "ANTI JOIN without LEFT");
  if (code.any_word(i, {"positional", "asof"}) && code.any_word(i + 1, {"join", "left", "right"}))
    one_engine("DuckDB", "a join with ON");
  if (code.word(i, "by") && code.word(i + 1, "name") && i > 0 && code.any_word(i - 1, {"union", "all"}))
    one_engine("DuckDB", "the columns in one order");
  if (code.any_word(i, {"tablesample"}) || (code.word(i, "using") && code.word(i + 1, "sample")))
    one_engine("one engine", "a condition on a column");
  if (code.word(i, "filter") && code.symbol(i + 1, "(") && !code.word(i + 2, "where") && i > 0 &&
      code.symbol(i - 1, ")"))
    one_engine("DuckDB", "FILTER (WHERE …)");
  if (code.word(i, "limit") && code[i + 1 < code.size() ? i + 1 : i].kind == Kind::number && code.symbol(i + 2, "%"))
    one_engine("DuckDB", "LIMIT with a number of rows");
  if (code.any_word(i, {"any", "some", "all"}) && i > 0 &&
      (code.symbol(i - 1, "=") || code.symbol(i - 1, "<") || code.symbol(i - 1, ">") || code.symbol(i - 1, "<>")) &&
      code.symbol(i + 1, "("))
    one_engine("DuckDB", "IN (SELECT …), or EXISTS");
  if (code.word(i, "interval") && i > 0 && (code.symbol(i - 1, "+") || code.symbol(i - 1, "-")) && i >= 3 &&
      code[i - 2].kind == Kind::text && code.word(i - 3, "date"))
    findings.add(code[i], "date-interval", "a day with an INTERVAL is a TIMESTAMP in DuckDB and a DATE in Spark",
                 "date_add(d, 1)");
  if (code.any_word(i, {"timestamptz", "timestamp_ntz", "datetime"}) && i + 1 < code.size() &&
      code[i + 1].kind == Kind::text)
    one_engine("one engine", "TIMESTAMP '…'");
}

void judge_select(const Judged& judged, const Select& select, Findings& findings) {
  const Code& code = judged.code;
  size_t qualify = kNone;
  bool all = false;
  for (size_t i = select.all.from; i < select.all.to; ++i) {
    if (code.open(i) != code.open(select.at)) continue;
    if (code.word(i, "qualify")) qualify = i;
    if (code.word(i, "group") && code.word(i + 1, "by") && code.word(i + 2, "all")) all = true;
  }
  if (all && qualify != kNone)
    findings.add(code[qualify], "qualify", "QUALIFY with GROUP BY ALL is refused by DuckDB",
                 "GROUP BY and the columns");
  // A cleaning's columns are cast to the table's types.
  if (!judged.cleaning && code.open(select.at) == kNone) judge_items(judged, select, "", 0, findings);
}

}  // namespace

void judge_clauses(const Judged& judged, Findings& findings) {
  const Code& code = judged.code;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code[i].kind == Kind::word) judge_word(code, i, findings);
    if (code.word(i, "order") && code.word(i + 1, "by")) judge_order(code, i, findings);
  }
  for (const Select& select : code.selects()) judge_select(judged, select, findings);
}

}  // namespace pinflow::portable
