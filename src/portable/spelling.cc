// Texts, names, numbers, operators, comments: what the two parsers read differently.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "portable/rules.h"
#include "portable/types.h"

namespace pinflow::portable {
namespace {

struct Spelling {
  std::string_view text;
  std::string_view what;
  std::string_view instead;
};

constexpr std::array<Spelling, 22> kOperators = {{
    {"//", "'//' is DuckDB's alone", "CAST(floor(a / b) AS BIGINT)"},
    {"|>", "'|>' is Spark's alone", "nested SELECTs or WITH"},
    {"**", "'**' is DuckDB's alone", "power(a, b)"},
    {"^", "'^' is power in DuckDB and exclusive or in Spark", "power(a, b)"},
    {"~", "'~' matches a pattern in DuckDB and inverts bits in Spark", "regexp_extract(x, '^…$', 0) = x"},
    {"!~", "'!~' is DuckDB's alone", "regexp_extract(x, '^…$', 0) <> x"},
    {"~~", "'~~' is DuckDB's alone", "LIKE"},
    {"!~~", "'!~~' is DuckDB's alone", "NOT LIKE"},
    {"~~*", "'~~*' is DuckDB's alone", "ILIKE"},
    {"!~~*", "'!~~*' is DuckDB's alone", "NOT ILIKE"},
    {"~~~", "'~~~' is DuckDB's alone", "LIKE"},
    {"^@", "'^@' is DuckDB's alone", "left(x, length(y)) = y"},
    {"<=>", "'<=>' is Spark's alone", "IS NOT DISTINCT FROM"},
    {"!", "'!' is Spark's NOT and DuckDB's factorial", "NOT"},
    {"@", "'@' is DuckDB's alone", "abs(x)"},
    {"#", "'#' is DuckDB's alone", "the column's name"},
    {"@>", "'@>' is DuckDB's alone", "array_contains(a, x)"},
    {"<@", "'<@' is DuckDB's alone", "array_contains(a, x)"},
    {"&&", "'&&' is DuckDB's alone", "AND, or array_contains(a, x)"},
    {"->", "'->' reads JSON in DuckDB and begins a function in Spark",
     "a field of the record, or a function of the preludes"},
    {"->>", "'->>' is DuckDB's alone", "a field of the record, or a function of the preludes"},
    {"{", "'{…}' is DuckDB's alone", "a function of the preludes"},
}};

void judge_token(const Code& code, size_t i, Findings& findings) {
  const Token& token = code[i];
  switch (token.kind) {
    case Kind::double_quoted:
      findings.add(token, "double-quotes", std::string(token.text) + " is a name in DuckDB and a text in Spark",
                   "a name without quotes, or a text in '…'");
      break;
    case Kind::quoted_name:
      findings.add(token, "backticks", std::string(token.text) + ": names in backticks are Spark's alone",
                   "a name that needs no quotes");
      break;
    case Kind::text:
      if (token.text.front() != '\'') {
        findings.add(token, "text-prefix", "a text with a prefix (e'…', x'…', r'…') is read differently",
                     "a plain '…'");
      }
      if (token.text.contains('\\')) {
        findings.add(token, "backslash", "a backslash in a text stands for itself in DuckDB and escapes in Spark",
                     "[.] for \\. and [0-9] for \\d in a pattern; the character itself, or chr(92)");
      }
      if (i > 0 && code[i - 1].kind == Kind::text) {
        findings.add(token, "adjacent-texts", "two texts side by side are one in Spark and an error in DuckDB", "||");
      }
      if (i > 0 && code.word(i - 1, "as")) {
        findings.add(token, "text-alias", "a name in '…' is DuckDB's alone", "a name without quotes");
      }
      break;
    case Kind::dollar_text:
      findings.add(token, "dollar-text", "a text between dollars is DuckDB's alone", "'…'");
      break;
    case Kind::parameter:
      if (token.lower != "$date") {
        findings.add(token, "parameter", std::string(token.text) + " is no parameter: there is only $date", "$date");
      }
      break;
    case Kind::number:
      if (std::ranges::any_of(token.text,
                              [](char c) { return c != '.' && c != '+' && c != '-' && (c < '0' || c > '9'); }) &&
          token.text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
        findings.add(token, "number", std::string(token.text) + " is another number in each engine, or none",
                     "digits alone, and a CAST where the type matters");
      } else if (token.text.find_first_of("eE") != std::string_view::npos &&
                 !std::isfinite(std::strtod(std::string(token.text).c_str(), nullptr))) {
        findings.add(token, "number", std::string(token.text) + " is beyond a DOUBLE: NULL or an error",
                     "a number below 1.8e308");
      }
      break;
    case Kind::unfinished:
      findings.add(token, "unfinished", "a quote or a comment that begins here has no end", "its end");
      break;
    case Kind::word:
    case Kind::symbol:
    case Kind::comment: break;
  }
}

void judge_operator(const Judged& judged, size_t i, Findings& findings) {
  const Code& code = judged.code;
  for (const Spelling& each : kOperators) {
    if (!code.symbol(i, each.text)) continue;
    findings.add(code[i], "operator", std::string(each.what), std::string(each.instead));
  }
  if (code.symbol(i, "[")) {
    const bool behind_value =
        i > 0 && ((code.name(i - 1) && !code.any_word(i - 1, {"array", "select", "in", "then", "else", "when", "by",
                                                              "and", "or", "on", "where"})) ||
                  code.symbol(i - 1, ")") || code.symbol(i - 1, "]"));
    if (behind_value) {
      findings.add(code[i], "subscript", "x[n] counts from 1 in DuckDB and from 0 in Spark",
                   "split_part(x, ',', 1) for a text; else a function of the preludes");
    } else {
      findings.add(code[i], "array-literal", "[a, b] is DuckDB's alone",
                   "a function of the preludes that makes the list");
    }
  }
  const bool divides = code.symbol(i, "/") || code.symbol(i, "%");
  if (divides && i + 1 < code.size()) {
    const Token& by = code[i + 1];
    const bool number = by.kind == Kind::number && by.text.find_first_of("123456789") != std::string_view::npos;
    if (!number && !(by.lower == "nullif" && code.symbol(i + 2, "("))) {
      findings.add(code[i], "division", "a division by 0 is inf or NULL in DuckDB and ends the query in Spark",
                   "a / NULLIF(b, 0)");
    }
  }
  if (code.symbol(i, "/") && i > 0 && i + 1 < code.size()) {
    const unsigned kinds = kinds_of(judged, value_before(code, i)) | kinds_of(judged, value_at(code, i + 1));
    if ((kinds & kFraction) != 0) {
      findings.add(code[i], "decimal-division",
                   "a DECIMAL divided is a DOUBLE in DuckDB and a DECIMAL of few digits in Spark",
                   "CAST(a AS DOUBLE) / CAST(NULLIF(b, 0) AS DOUBLE)");
    }
  }
  if (code.symbol(i, ";") && i + 1 < code.size()) {
    findings.add(code[i], "statements", "there is more behind the ';'", "one SELECT in a file");
  }
}

}  // namespace

void judge_spelling(const Judged& judged, Findings& findings) {
  for (size_t i = 0; i < judged.code.size(); ++i) {
    judge_token(judged.code, i, findings);
    judge_operator(judged, i, findings);
  }
  for (const Token& comment : judged.code.comments()) {
    if (comment.text.starts_with("--") && comment.text.ends_with('\\')) {
      findings.add(comment, "comment", "a comment that ends in a backslash goes on in the next line in Spark",
                   "a comment without the backslash");
    }
  }
}

std::vector<Finding> Findings::sorted() {
  const auto place = [](const Finding& f) { return std::pair(f.line, f.column); };
  std::ranges::stable_sort(found_, [&](const Finding& a, const Finding& b) { return place(a) < place(b); });
  const auto same = [&](const Finding& a, const Finding& b) { return place(a) == place(b) && a.rule == b.rule; };
  found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
  return std::move(found_);
}

}  // namespace pinflow::portable
