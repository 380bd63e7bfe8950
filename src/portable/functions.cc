// Functions: those that both engines have and answer alike, and what to write for the others.
#include <algorithm>
#include <array>
#include <map>

#include "portable/rules.h"

namespace pinflow::portable {
namespace {

// Each was run on both engines: tests/portable_cases.py has the calls. What is of both but answers otherwise, or of
// another type, stands in kAdvice or in kIntegers.
constexpr auto kCommon = std::to_array<std::string_view>({"abs",
                                                          "acos",
                                                          "array_append",
                                                          "array_contains",
                                                          "array_intersect",
                                                          "array_sort",
                                                          "ascii",
                                                          "asin",
                                                          "atan",
                                                          "atan2",
                                                          "avg",
                                                          "base64",
                                                          "bin",
                                                          "bit_and",
                                                          "bit_or",
                                                          "bit_xor",
                                                          "bool_and",
                                                          "bool_or",
                                                          "ceil",
                                                          "ceiling",
                                                          "char_length",
                                                          "character_length",
                                                          "chr",
                                                          "coalesce",
                                                          "concat_ws",
                                                          "contains",
                                                          "corr",
                                                          "cos",
                                                          "count",
                                                          "count_if",
                                                          "covar_pop",
                                                          "covar_samp",
                                                          "cume_dist",
                                                          "date_add",
                                                          "date_trunc",
                                                          "day",
                                                          "dayofmonth",
                                                          "dayofyear",
                                                          "degrees",
                                                          "dense_rank",
                                                          "extract",
                                                          "factorial",
                                                          "first_value",
                                                          "floor",
                                                          "greatest",
                                                          "hex",
                                                          "hour",
                                                          "if",
                                                          "ifnull",
                                                          "instr",
                                                          "isnan",
                                                          "lag",
                                                          "last_day",
                                                          "last_value",
                                                          "lead",
                                                          "least",
                                                          "left",
                                                          "len",
                                                          "length",
                                                          "levenshtein",
                                                          "listagg",
                                                          "log10",
                                                          "log2",
                                                          "lpad",
                                                          "ltrim",
                                                          "make_date",
                                                          "make_timestamp",
                                                          "max",
                                                          "max_by",
                                                          "md5",
                                                          "mean",
                                                          "median",
                                                          "min",
                                                          "min_by",
                                                          "minute",
                                                          "mod",
                                                          "month",
                                                          "nth_value",
                                                          "ntile",
                                                          "nullif",
                                                          "percent_rank",
                                                          "percentile_cont",
                                                          "percentile_disc",
                                                          "pi",
                                                          "position",
                                                          "pow",
                                                          "power",
                                                          "printf",
                                                          "quarter",
                                                          "radians",
                                                          "rank",
                                                          "regexp_extract",
                                                          "regexp_extract_all",
                                                          "repeat",
                                                          "replace",
                                                          "right",
                                                          "round",
                                                          "row_number",
                                                          "rpad",
                                                          "rtrim",
                                                          "second",
                                                          "sha1",
                                                          "sin",
                                                          "split",
                                                          "split_part",
                                                          "sqrt",
                                                          "stddev",
                                                          "stddev_pop",
                                                          "substr",
                                                          "substring"});
constexpr auto kCommonToo =
    std::to_array<std::string_view>({"sum", "tan", "translate", "trim", "try_cast", "cast", "string_agg", "var_pop",
                                     "var_samp", "variance", "weekofyear", "year"});

struct Advice {
  std::string_view what;
  std::string_view instead;
};

const std::map<std::string_view, Advice>& advice() {
  static const Advice pattern{"only one engine has it", "regexp_extract(x, '^…$', 0) = x"};
  static const Advice json{
      "the engines read JSON differently (names given twice, lone surrogates, deep nesting, a null on top)",
      "a field of the record, which reaches the cleaning as text"};
  static const Advice time_text{"only one engine has it",
                                "year(t), month(t), day(t), or substring(CAST(t AS STRING), 1, 7)"};
  static const Advice text_time{"it takes a number of seconds in DuckDB and a text in Spark",
                                "TRY_CAST(x AS TIMESTAMP) behind a guard of its form"};
  static const Advice list{"only one engine has it", "a function of the preludes"};
  static const Advice counted{"only one engine has it, or it takes its arguments otherwise",
                              "a function of the preludes"};
  static const Advice day_number{"it counts from another day in each engine", "a function of the preludes"};
  static const Advice day_name{"it is Wednesday in DuckDB and Wed in Spark", "CASE month(t) WHEN 1 THEN … END"};
  static const Advice list_of_values{"a list of values has NULL in DuckDB only, and an order in neither",
                                     "a row for each value"};
  static const Advice lower{
      "İ and its like become other letters in each engine (CASE lower(x) WHEN 'k' and lower(x) = 'k' are alike)",
      "the text as it is, or translate(x, 'ABC…', 'abc…')"};
  static const Advice upper{"ß and its like become other letters in each engine",
                            "the text as it is, or translate(x, 'abc…', 'ABC…')"};
  static const Advice any_row{"it takes whichever row comes first",
                              "min(x), max(x), or first_value(x) OVER (ORDER BY …)"};
  static const Advice random_{"no two engines draw the same", "a column of the record"};
  static const std::map<std::string_view, Advice> all{
      {"concat",
       {"it skips NULL in DuckDB and becomes NULL in Spark",
        "a || b, with COALESCE(a, '') where NULL is to be skipped"}},
      {"regexp_replace",
       {"it replaces the first match in DuckDB and all in Spark",
        "replace(x, 'a', 'b'), or a function of the preludes"}},
      {"regexp_like", pattern},
      {"regexp_matches", pattern},
      {"regexp_full_match", pattern},
      {"rlike", pattern},
      {"regexp", pattern},
      {"strftime", time_text},
      {"date_format", time_text},
      {"strptime", text_time},
      {"to_timestamp", text_time},
      {"to_date", text_time},
      {"date_diff", counted},
      {"datediff", counted},
      {"date_sub", {"only Spark takes a number of days", "date_add(d, -1)"}},
      {"date_part",
       {"the second has its fraction in Spark only, and other parts another type",
        "CAST(year(t) AS INT) and the like"}},
      {"dayofweek", day_number},
      {"weekday", day_number},
      {"dayname", day_name},
      {"monthname", day_name},
      {"array", {"only Spark has array(…)", "a function of the preludes that makes the list"}},
      {"list_value", list},
      {"array_position",
       {"what is not there is NULL in DuckDB and 0 in Spark", "array_contains(a, x), or a function of the preludes"}},
      {"array_distinct", {"the order of what remains differs", "a function of the preludes that sorts"}},
      {"cardinality", list},
      {"size", list},
      {"array_length", list},
      {"explode", list},
      {"unnest", list},
      {"transform", list},
      {"list_transform", list},
      {"element_at", {"it takes lists in Spark only", "a function of the preludes"}},
      {"cbrt", {"the last digits differ", "a function of the preludes, rounded"}},
      {"exp", {"the last digits differ", "round(…, 9) in a function of the preludes"}},
      {"log", {"it is the logarithm to base 10 in DuckDB and the natural one in Spark", "log10(x)"}},
      {"ln",
       {"the last digits differ, and of 0 it is an error in DuckDB", "round(…, 9) in a function of the preludes"}},
      {"kurtosis", {"DuckDB corrects for a sample, Spark does not", "a function of the preludes"}},
      {"skewness", {"DuckDB corrects for a sample, Spark does not", "a function of the preludes"}},
      {"sign",
       {"it is an integer in DuckDB and a double in Spark", "CASE WHEN x < 0 THEN -1 WHEN x > 0 THEN 1 ELSE 0 END"}},
      {"trunc", {"it cuts numbers in DuckDB and dates in Spark", "floor(x), or date_trunc('month', t)"}},
      {"hash", {"it is another number in each engine", "md5(x)"}},
      {"xor", {"only DuckDB has it", "a <> b of two booleans"}},
      {"typeof", {"it names types in each engine's own words", "no type at run time"}},
      {"unhex", {"only bytes come of it, which no table has", "the text itself"}},
      {"url_encode", {"a blank is %20 in DuckDB and + in Spark", "replace(x, ' ', '%20')"}},
      {"octet_length", {"only Spark takes text", "length(x) for characters"}},
      {"bit_length", {"only one engine counts all characters alike", "length(x) for characters"}},
      {"startswith", {"only Spark has it", "left(x, length(y)) = y, or LIKE"}},
      {"starts_with", {"only DuckDB has it", "left(x, length(y)) = y, or LIKE"}},
      {"endswith", {"only Spark has it", "right(x, length(y)) = y, or LIKE"}},
      {"ends_with", {"only DuckDB has it", "right(x, length(y)) = y, or LIKE"}},
      {"strpos", {"only DuckDB has it", "instr(x, y)"}},
      {"locate", {"only Spark has it", "instr(x, y)"}},
      {"nvl", {"only Spark has it", "COALESCE"}},
      {"initcap", {"only Spark has it", "the text as it is"}},
      {"unix_timestamp", counted},
      {"epoch", counted},
      {"current_date", {"it is another day at each engine", "$date"}},
      {"now", {"it is another moment at each engine", "$date, or a column of the record"}},
      {"lower", lower},
      {"lcase", lower},
      {"upper", upper},
      {"ucase", upper},
      {"first", any_row},
      {"last", any_row},
      {"reverse", {"it turns letters with their accents in DuckDB and code points in Spark", "the text as it is"}},
      {"mode",
       {"of values that are as frequent each engine takes another", "count(*) with GROUP BY, and rank() over it"}},
      {"random", random_},
      {"rand", random_},
      {"uuid", random_},
      {"to_json", json},
      {"from_json", json},
      {"json_array_length", json},
      {"get_json_object", json},
      {"json_extract", json},
      {"json_extract_string", json},
      {"json_tuple", json},
      {"json_keys", json},
      {"json_valid", json},
      {"read_json", json},
      {"percentile", {"only Spark has it", "percentile_cont(0.5) WITHIN GROUP (ORDER BY x)"}},
      {"percentile_approx", {"only Spark has it", "percentile_disc(0.5) WITHIN GROUP (ORDER BY x)"}},
      {"approx_percentile", {"only Spark has it", "percentile_disc(0.5) WITHIN GROUP (ORDER BY x)"}},
      {"quantile", {"only DuckDB has it", "percentile_disc(0.5) WITHIN GROUP (ORDER BY x)"}},
      {"quantile_disc", {"only DuckDB has it", "percentile_disc(0.5) WITHIN GROUP (ORDER BY x)"}},
      {"quantile_cont", {"only DuckDB has it", "percentile_cont(0.5) WITHIN GROUP (ORDER BY x)"}},
      {"arg_max", {"only DuckDB has it", "max_by(x, y)"}},
      {"arg_min", {"only DuckDB has it", "min_by(x, y)"}},
      {"array_agg", list_of_values},
      {"list", list_of_values},
      {"collect_list", list_of_values},
      {"collect_set", list_of_values},
      {"any_value", {"it passes over NULL in DuckDB only", "max(x), or max_by(x, y)"}},
      {"approx_count_distinct", {"each engine estimates another number", "count(DISTINCT x)"}},
      {"columns", {"only DuckDB has it", "the columns by name"}},
      {"struct", {"only Spark has it", "the values as columns"}},
      {"named_struct", {"only Spark has it", "the values as columns"}},
      {"struct_pack", {"only DuckDB has it", "the values as columns"}},
  };
  return all;
}

bool is_number(const Code& code, Range argument) {
  return argument.size() == 1 && code[argument.from].kind == Kind::number;
}

bool is_partial(std::string_view name) {
  return name == "sqrt" || name == "log10" || name == "log2" || name == "acos" || name == "asin";
}

// A positive number, or a value that a WHEN around the call looks at first.
bool is_guarded(const Code& code, size_t call, Range argument) {
  if (is_number(code, argument)) return code[argument.from].text.find_first_of("123456789") != std::string_view::npos;
  for (size_t inner = call, around = code.open(call); around != kNone; inner = around, around = code.open(around)) {
    if (!code.word(around, "case")) continue;
    size_t then = inner;
    while (then > around && !(code.open(then) == around && code.any_word(then, {"then", "else", "when"}))) --then;
    if (!code.word(then, "then")) continue;
    size_t when = then;
    while (when > around && !(code.open(when) == around && code.word(when, "when"))) --when;
    for (size_t at = when + 1; at + argument.size() < then; ++at) {
      if (code.same({at, at + argument.size()}, argument) &&
          (code.symbol(at + argument.size(), ">") || code.symbol(at + argument.size(), ">=") ||
           code.word(at + argument.size(), "between")))
        return true;
    }
  }
  return false;
}

// lower(x) compared with texts in which no letter is doubtful: ASCII without i (of İ) and k's like are alike in both.
bool compares_plainly(const Code& code, size_t call) {
  const auto plain = [&](size_t at) {
    if (at >= code.size() || code[at].kind != Kind::text) return false;
    return std::ranges::all_of(content_of(code[at]), [](unsigned char c) { return c < 0x80 && c != 'i'; });
  };
  const size_t end = code.match(call + 1);
  if (end == kNone) return false;
  if (code.symbol(end + 1, "=") || code.symbol(end + 1, "<>") || code.symbol(end + 1, "!="))
    return plain(end + 2) && !code.symbol(end + 3, "||");
  if (code.word(end + 1, "in") && code.symbol(end + 2, "(") && code.match(end + 2) != kNone) {
    for (const Range& each : code.split({end + 3, code.match(end + 2)}, {","})) {
      if (each.size() != 1 || !plain(each.from)) return false;
    }
    return true;
  }
  const size_t around = code.open(call);
  if (around == kNone || around + 1 != call || !code.word(around, "case") || code.match(around) == kNone ||
      !code.word(end + 1, "when"))
    return false;
  for (size_t at = end + 1; at < code.match(around); ++at) {
    if (code.open(at) == around && code.word(at, "when") && !(plain(at + 1) && code.word(at + 2, "then"))) return false;
  }
  return true;
}

// Arguments with which a function of both engines answers otherwise.
void judge_arguments(const Judged& judged, size_t i, Findings& findings) {
  const Code& code = judged.code;
  const std::string& name = code[i].lower;
  const auto arguments = code.arguments(i);
  if (name == "split" && arguments.size() == 2) {
    const Range by = arguments[1];
    const bool plain = by.size() == 1 && code[by.from].kind == Kind::text && !content_of(code[by.from]).empty() &&
                       content_of(code[by.from]).find_first_of(".^$*+?()[]{}|\\") == std::string::npos;
    if (!plain) {
      findings.add(code[i], "split", "split takes a text in DuckDB and a pattern in Spark",
                   "a separator without any of . ^ $ * + ? ( ) [ ] { } |, or split_part(x, '.', 1)");
    }
  }
  if ((name == "left" || name == "right") && arguments.size() == 2 && code.symbol(arguments[1].from, "-")) {
    findings.add(code[i], "negative-length", "a negative length leaves out that many in DuckDB and all in Spark",
                 "substring(x, 1, length(x) - n)");
  }
  if ((name == "substring" || name == "substr") && arguments.size() >= 2 && is_number(code, arguments[1]) &&
      code[arguments[1].from].text == "0") {
    findings.add(code[i], "substring-zero", "the place 0 is one before the text in DuckDB and its first in Spark",
                 "substring(x, 1, n): places count from 1");
  }
  if ((name == "ltrim" || name == "rtrim" || name == "trim") && arguments.size() == 2) {
    findings.add(code[i], "trim", "the two arguments stand the other way round in Spark",
                 "trim(BOTH 'x' FROM text), LEADING or TRAILING");
  }
  if (name == "ltrim" || name == "rtrim" || name == "trim") {
    const auto parts = arguments.size() == 1 ? code.split(arguments[0], {"from"}) : std::vector<Range>();
    const bool says = parts.size() == 2 && !parts[0].empty() && code[parts[0].to - 1].kind == Kind::text;
    if (arguments.size() == 1 && !says) {
      findings.add(code[i], "trim",
                   "without the characters it strips all kinds of blanks in DuckDB and ' ' alone in Spark",
                   "trim(BOTH ' ' FROM x), LEADING or TRAILING");
    }
  }
  if (name == "count" && arguments.size() > 1) {
    findings.add(code[i], "function", "count() of several columns is Spark's alone",
                 "count(*) FROM (SELECT DISTINCT a, b FROM …)");
  }
  const bool ordered_window = code.match(i + 1) != kNone && code.word(code.match(i + 1) + 1, "over");
  if ((name == "first_value" || name == "last_value") && !ordered_window) {
    findings.add(code[i], "unordered", fmt::format("{}() takes whichever row comes first", code[i].text),
                 "min(x), max(x), or OVER (ORDER BY …)");
  }
  if (name == "string_agg" || name == "listagg") {
    findings.add(code[i], "unordered",
                 "the order of its texts is another each time, and each engine spells an order otherwise",
                 "a row for each value, or max_by(x, y)");
  }
  if (is_partial(name) && !arguments.empty() && !is_guarded(code, i, arguments[0])) {
    findings.add(code[i], "domain",
                 fmt::format("{}() of a number that it is not made for is an error in DuckDB and NULL or NaN in Spark",
                             code[i].text),
                 fmt::format("CASE WHEN x > 0 THEN {}(x) END", code[i].text));
  }
  if (name == "mod" && arguments.size() == 2 &&
      !(is_number(code, arguments[1]) &&
        code[arguments[1].from].text.find_first_of("123456789") != std::string_view::npos) &&
      !code.word(arguments[1].from, "nullif")) {
    findings.add(code[i], "division", "a division by 0 is NULL in DuckDB and ends the query in Spark",
                 "mod(a, NULLIF(b, 0))");
  }
  if (name == "date_add" && arguments.size() == 2 && code.word(arguments[1].from, "interval")) {
    findings.add(code[i], "date-interval", "only DuckDB takes an INTERVAL here", "date_add(d, 1): a number of days");
  }
  if ((name == "extract") && arguments.size() == 1 &&
      code.any_word(arguments[0].from,
                    {"second", "seconds", "dow", "dayofweek", "isodow", "epoch", "milliseconds", "microseconds"})) {
    findings.add(code[i], "extract", std::string(code[arguments[0].from].text) + " is another number in each engine",
                 "second(t), or a function of the preludes");
  }
  if (name == "round" && arguments.size() == 2 && (kinds_of(judged, arguments[0]) & kDouble) != 0 &&
      !(is_number(code, arguments[1]) && code[arguments[1].from].text == "0")) {
    findings.add(code[i], "round",
                 "a double is rounded by its binary value in DuckDB and by its digits in Spark (0.285 to 2 places)",
                 "CAST(round(CAST(x AS DECIMAL(30, 9)), 2) AS DOUBLE)");
  }
  if ((name == "avg" || name == "mean") && arguments.size() == 1 && (kinds_of(judged, arguments[0]) & kFraction) != 0) {
    findings.add(code[i], "decimal-average", "the average of a DECIMAL is a DOUBLE in DuckDB and a DECIMAL in Spark",
                 "avg(CAST(x AS DOUBLE))");
  }
  const bool sorted_inside =
      std::ranges::any_of(arguments, [&](Range argument) { return code.split(argument, {"order"}).size() > 1; });
  if (sorted_inside && name != "percentile_disc" && name != "percentile_cont") {
    findings.add(code[i], "sorted-aggregate", "ORDER BY within a function's brackets is DuckDB's alone",
                 "max_by(x, y), min_by(x, y)");
  }
  const size_t end = code.match(i + 1);
  if ((name == "listagg" || name == "string_agg") && end != kNone && code.word(end + 1, "within")) {
    findings.add(code[i], "sorted-aggregate", "WITHIN GROUP of a list is Spark's alone",
                 "max_by(x, y), min_by(x, y), or a row for each value");
  }
}

}  // namespace

bool is_common_function(std::string_view lower) {
  return std::ranges::find(kCommon, lower) != kCommon.end() || std::ranges::find(kCommonToo, lower) != kCommonToo.end();
}

void judge_functions(const Judged& judged, Findings& findings) {
  const Code& code = judged.code;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code.any_word(i, {"current_timestamp", "localtimestamp", "current_time", "current_date"}) &&
        !code.symbol(i + 1, "(")) {
      findings.add(code[i], "clock", std::string(code[i].text) + " is another moment at each engine",
                   "$date, or a column of the record");
    }
    if (!code.call(i)) continue;
    const std::string& name = code[i].lower;
    if (judged.own.contains(name)) continue;
    if ((name == "lower" || name == "lcase") && compares_plainly(code, i)) continue;
    if (const auto known = advice().find(name); known != advice().end()) {
      findings.add(code[i], "function", fmt::format("{}(): {}", code[i].text, known->second.what),
                   std::string(known->second.instead));
    } else if (!is_common_function(name)) {
      findings.add(
          code[i], "function",
          fmt::format("{}() is not among the functions that DuckDB and Spark are known to share", code[i].text),
          fmt::format("another one, or define {} in both preludes", code[i].text));
    } else {
      judge_arguments(judged, i, findings);
    }
  }
}

}  // namespace pinflow::portable
