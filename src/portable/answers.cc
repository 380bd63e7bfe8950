// The statement as a whole and the names of its answer: one SELECT to its end, a name for each column, rows that are
// the same ones each time, comparisons of a like kind.
#include <algorithm>
#include <array>

#include "portable/rules.h"
#include "portable/types.h"

namespace pinflow::portable {
namespace {

constexpr auto kBefore = std::to_array<std::string_view>(
    {"(", ",", "+", "-", "/", "%", "=", "<", ">", "<=", ">=", "<>", "!=", "||", "::", "."});

// ---- one whole SELECT ----

void judge_statement(const Code& code, Findings& findings) {
  size_t end = code.size();
  while (end > 0 && code.symbol(end - 1, ";")) --end;
  if (end == 0) return;
  if (!code.any_word(0, {"select", "with"}) && !code.symbol(0, "(")) {
    findings.add(code[0], "statement", fmt::format("{} begins no SELECT", code[0].text), "SELECT … FROM …, or WITH");
  } else if (std::ranges::none_of(code.selects(), [&](const Select& each) { return code.open(each.at) == kNone; }) &&
             !code.symbol(0, "(")) {
    findings.add(code[0], "statement", "this statement is no SELECT", "WITH … SELECT … FROM …");
  }
  for (size_t i = 0; i < end; ++i) {
    const bool bracket = code.symbol(i, "(") || code.symbol(i, "[") || code.symbol(i, "{") || code.word(i, "case") ||
                         code.symbol(i, ")") || code.symbol(i, "]") || code.symbol(i, "}");
    if (bracket && code.match(i) == kNone)
      findings.add(code[i], "unfinished", fmt::format("{} has no partner", code[i].text), "its partner");
    if (i > 0 && code.word(i, "from") && code.symbol(i - 1, "(") && (i < 2 || !code.call(i - 2)))
      findings.add(code[i], "statement", "a FROM without SELECT is not read alike everywhere", "SELECT * FROM …");
  }
  const bool open_word = code.any_word(
      end - 1, {"select", "where",  "from",  "by",    "and",   "or",        "not",    "on",    "join",
                "as",     "having", "limit", "group", "order", "in",        "like",   "ilike", "between",
                "when",   "then",   "else",  "with",  "union", "intersect", "except", "is",    "qualify"});
  const bool open_symbol =
      code[end - 1].kind == Kind::symbol && std::ranges::find(kBefore, code[end - 1].text) != kBefore.end();
  if (open_word || open_symbol)
    findings.add(code[end - 1], "unfinished", fmt::format("the text ends behind {}", code[end - 1].text),
                 "what belongs there");
}

// ---- names ----

// "a IS NULL", "NOT a": the last word is no alias.
bool has_name(const Code& code, const Item& item) {
  if (item.name.empty()) return false;
  const size_t last = item.expression.to - 1;
  const bool part_of_it = code.any_word(last, {"is", "not", "and", "or", "like", "ilike", "between", "in", "from",
                                               "distinct", "when", "interval", "null"}) &&
                          !code.word(last + 1, "as");
  return !part_of_it || item.expression.size() == 1;
}

bool is_star(const Code& code, Range all) {
  return code.symbol(all.to - 1, "*") && (all.size() == 1 || (all.size() == 3 && code.symbol(all.from + 1, ".")));
}

bool is_column(const Code& code, Range all) {
  return code.name(all.to - 1) && (all.size() == 1 || code.symbol(all.to - 2, "."));
}

// The capitals of a column are those of its declaration in DuckDB, and those of this text in Spark.
void judge_capitals(const Judged& judged, const Item& item, Findings& findings) {
  const Code& code = judged.code;
  const Token& said = code[item.expression.to - 1];
  if (!is_column(code, item.expression) || said.kind != Kind::word) return;
  const size_t behind = item.expression.to;
  if (code.word(behind, "as") || (code.name(behind) && code[behind].lower == item.name && item.name != said.lower))
    return;  // it has an alias
  std::string_view declared;
  const auto compare = [&](std::string_view name, std::string_view lower) {
    if (lower != said.lower || declared == said.text) return;
    declared = name;
  };
  for (const auto& [lower, name] : judged.names) compare(name, lower);
  for (size_t i = 1; i < code.size(); ++i) {
    if (code.word(i - 1, "as") && code[i].kind == Kind::word) compare(code[i].text, code[i].lower);
  }
  if (!declared.empty() && declared != said.text) {
    findings.add(said, "column-name",
                 fmt::format("the column is called {} in DuckDB and {} in Spark", declared, said.text),
                 std::string(declared));
  }
}

// Whether a SELECT's columns are those of a `*` around it: FROM (SELECT …), WITH name AS (SELECT …).
bool is_read_from(const Code& code, const Select& select) {
  const size_t open = code.open(select.at);
  if (open == kNone || open == 0 || !code.any_word(open - 1, {"from", "join", "as"})) return false;
  if (code.word(open - 1, "as") && open >= 2 && code.symbol(open - 2, ")")) return false;  // WITH t(a, b) AS (
  const size_t close = code.match(open);
  if (close == kNone) return false;
  const size_t alias = code.word(close + 1, "as") ? close + 2 : close + 1;
  return !(code.word(open - 1, "as") == false && code.name(alias) && code.symbol(alias + 1, "("));  // (…) t(a, b)
}

void judge_names(const Judged& judged, Findings& findings) {
  const Code& code = judged.code;
  const auto& selects = code.selects();
  const auto outer = std::ranges::find_if(selects, [&](const Select& each) { return code.open(each.at) == kNone; });
  const Select* first = outer != selects.end() ? &*outer : selects.empty() ? nullptr : &selects.front();
  if (first == nullptr) return;
  const auto judge_list = [&](const Select& select) {
    bool star = false;
    for (const Item& item : select.items) {
      if (is_star(code, item.expression)) {
        star = true;
      } else if (!has_name(code, item)) {
        findings.add(code[item.expression.from], "column-name",
                     "a computed column without AS has another name in each engine", "… AS name");
      } else {
        judge_capitals(judged, item, findings);
      }
    }
    return star;
  };
  if (!judge_list(*first)) return;
  for (const Select& inner : selects) {
    if (is_read_from(code, inner)) judge_list(inner);
  }
}

// ---- rows and comparisons ----

// A time or a day: the difference of two is an INTERVAL.
bool is_time(const Judged& judged, Range range, int depth = 0) {
  const Code& code = judged.code;
  while (range.size() > 2 && code.symbol(range.from, "(") && code.match(range.from) == range.to - 1)
    range = {range.from + 1, range.to - 1};
  if (range.empty() || depth > 8) return false;
  if (range.size() == 2 && code.any_word(range.from, {"timestamp", "date"}) && code[range.from + 1].kind == Kind::text)
    return true;
  Cast cast;
  if (read_cast(code, range.from, cast)) return class_of(code, cast.type) == TypeClass::timestamp;
  if (code.call(range.from)) {
    if (code.any_word(range.from, {"date_trunc", "make_timestamp"})) return true;
    if (!code.any_word(range.from, {"max", "min", "coalesce", "nullif", "ifnull", "greatest", "least", "lag", "lead",
                                    "first_value", "last_value"}))
      return false;
    const auto arguments = code.arguments(range.from);
    return !arguments.empty() && is_time(judged, arguments[0], depth + 1);
  }
  if (!code.name(range.to - 1) || !is_column(code, range)) return false;
  const std::string& name = code[range.to - 1].lower;
  if (!judged.cleaning && judged.times.contains(name)) return true;
  return std::ranges::any_of(code.meanings(name), [&](Range meaning) {
    const bool of_itself = meaning.from <= range.from && range.to <= meaning.to;
    return !of_itself && is_time(judged, meaning, depth + 1);
  });
}

void judge_comparison(const Judged& judged, size_t i, Findings& findings) {
  const Code& code = judged.code;
  if (i == 0) return;
  const auto only_text = [&](Range value) { return kinds_of(judged, value) == kText; };
  const auto number_at = [&](size_t at) {
    return at < code.size() && (code[at].kind == Kind::number ||
                                (code.symbol(at, "-") && code[std::min(at + 1, code.size() - 1)].kind == Kind::number));
  };
  const bool compares = code.symbol(i, "=") || code.symbol(i, "==") || code.symbol(i, "<>") || code.symbol(i, "!=") ||
                        code.symbol(i, "<") || code.symbol(i, ">") || code.symbol(i, "<=") || code.symbol(i, ">=");
  bool mixed = compares && number_at(i + 1) && only_text(value_before(code, i));
  mixed = mixed || (compares && i + 1 < code.size() && code[i - 1].kind == Kind::number &&
                    code[i + 1].kind != Kind::number && only_text(value_at(code, i + 1)));
  if (code.word(i, "in") || code.word(i, "between")) {
    const size_t end = code.word(i - 1, "not") ? i - 1 : i;
    const size_t value = code.word(i, "in") ? i + 2 : i + 1;
    mixed = mixed || (end > 0 && number_at(value) && only_text(value_before(code, end)));
  }
  if (mixed)
    findings.add(code[i], "comparison", "a text is compared with a number: each engine casts one of them in its way",
                 "x = '5', or the number that the cleaning made of the text");
}

void judge_rows(const Judged& judged, size_t i, Findings& findings) {
  const Code& code = judged.code;
  if (code.any_word(i, {"limit", "offset"}) && i > 0 && i + 1 < code.size() &&
      (code[i + 1].kind == Kind::number || code[i + 1].kind == Kind::parameter)) {
    bool ordered = false;
    for (size_t before = i; before-- > 0 && !ordered;) {
      if (code.open(before) == code.open(i)) ordered = code.word(before, "order") && code.word(before + 1, "by");
      if (code.open(before) == code.open(i) && code.word(before, "select")) break;
    }
    if (!ordered)
      findings.add(code[i], "unordered", fmt::format("{} without ORDER BY takes other rows each time", code[i].text),
                   "ORDER BY … NULLS LAST before it, by enough columns to tell all rows apart");
  }
  if (code.word(i, "collate"))
    findings.add(code[i], "clause", "the engines know other collations", "a comparison of the texts as they are");
  const bool group = i > 0 && code.symbol(i + 1, "(") && code.any_word(i, {"rollup", "cube", "sets"});
  if (group || (code.word(i, "with") && code.any_word(i + 1, {"rollup", "cube"})))
    findings.add(code[i], "clause", "over no rows its total is one row in DuckDB and none in Spark",
                 "a GROUP BY for each level, with UNION ALL between them");
  if (code.symbol(i, "-") && i > 0 && i + 1 < code.size()) {
    const bool literal =
        code.any_word(i + 1, {"timestamp", "date"}) && i + 2 < code.size() && code[i + 2].kind == Kind::text;
    const Range right = literal ? Range{i + 1, i + 3} : value_at(code, i + 1);
    const bool left_literal = i >= 2 && code[i - 1].kind == Kind::text && code.any_word(i - 2, {"timestamp", "date"});
    const Range left = left_literal ? Range{i - 2, i} : value_before(code, i);
    if (is_time(judged, left) && is_time(judged, right))
      findings.add(code[i], "interval", "the difference of two times is an INTERVAL, which each engine shows otherwise",
                   "a function of the preludes that gives seconds or days");
  }
}

}  // namespace

void judge_answers(const Judged& judged, Findings& findings) {
  judge_statement(judged.code, findings);
  if (!judged.cleaning) judge_names(judged, findings);
  for (size_t i = 0; i < judged.code.size(); ++i) {
    judge_comparison(judged, i, findings);
    judge_rows(judged, i, findings);
  }
}

}  // namespace pinflow::portable
