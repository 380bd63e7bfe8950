// Regular expressions, and the guards that are made of them.
#include "portable/pattern.h"
#include "portable/rules.h"

namespace pinflow::portable {
namespace {

// x, or what NULLIF(x, '') makes NULL of: the same as x where it is compared with a match.
bool is_subject(const Code& code, Range side, Range subject) {
  if (code.same(side, subject)) return true;
  if (!code.word(side.from, "nullif") || !code.call(side.from) || code.match(side.from + 1) + 1 != side.to)
    return false;
  const auto arguments = code.arguments(side.from);
  return arguments.size() == 2 && code.same(arguments[0], subject) && arguments[1].size() == 1 &&
         code[arguments[1].from].text == "''";
}

struct Extract {
  Range subject;
  size_t pattern = 0;  // its token
  bool whole = false;  // of group 0
  Range all;           // the call
};

bool read_extract(const Code& code, size_t i, Extract& out) {
  if (!code.call(i) || code[i].lower != "regexp_extract" || code.match(i + 1) == kNone) return false;
  const auto arguments = code.arguments(i);
  if (arguments.size() < 2 || arguments[1].size() != 1 || code[arguments[1].from].kind != Kind::text) return false;
  out.subject = arguments[0];
  out.pattern = arguments[1].from;
  out.whole = arguments.size() == 3 && arguments[2].size() == 1 && code[arguments[2].from].text == "0";
  out.all = {i, code.match(i + 1) + 1};
  return true;
}

Range unwrapped(const Code& code, Range range) {
  while (range.size() > 2 && code.symbol(range.from, "(") && code.match(range.from) == range.to - 1)
    range = {range.from + 1, range.to - 1};
  return range;
}

void guards_in(const Code& code, Range condition, int depth, std::vector<Guard>& found) {
  condition = unwrapped(code, condition);
  if (condition.empty() || depth > 4) return;
  if (code.split(condition, {"or"}).size() > 1) return;
  const auto parts = code.split(condition, {"and"});
  if (parts.size() > 1) {
    for (const Range& part : parts) guards_in(code, part, depth, found);
    return;
  }
  if (condition.size() == 1 && code.name(condition.from)) {
    const auto meanings = code.meanings(code[condition.from].lower);
    if (meanings.size() == 1) guards_in(code, meanings[0], depth + 1, found);
    return;
  }
  const auto sides = code.split(condition, {"="});
  if (sides.size() != 2) return;
  for (const size_t side : {0, 1}) {
    Extract extract;
    const Range match = unwrapped(code, sides[side]);
    if (match.empty() || !read_extract(code, match.from, extract) || extract.all.to != match.to || !extract.whole)
      continue;
    if (!is_subject(code, unwrapped(code, sides[1 - side]), extract.subject)) continue;
    const Pattern pattern = read_pattern(content_of(code[extract.pattern]));
    if (pattern.from_begin && pattern.to_end) found.push_back({extract.subject, extract.pattern});
  }
}

// Whether a match that Java finds before a last line feed cannot be told from one that RE2 finds: where the match is
// compared with the whole subject, or asked whether it is NULL.
bool end_does_not_matter(const Code& code, const Extract& extract) {
  if (!extract.whole) return false;
  const size_t behind = extract.all.to;
  if (code.word(behind, "is") &&
      (code.word(behind + 1, "null") || (code.word(behind + 1, "not") && code.word(behind + 2, "null"))))
    return true;
  const auto compares = [&](size_t i) {
    return code.symbol(i, "=") || code.symbol(i, "==") || code.symbol(i, "<>") || code.symbol(i, "!=");
  };
  const auto starts_with_subject = [&](size_t from) {
    const size_t length = extract.subject.size();
    if (from + length <= code.size() && code.same({from, from + length}, extract.subject)) return true;
    return code.word(from, "nullif") && code.symbol(from + 1, "(") && code.match(from + 1) != kNone &&
           is_subject(code, {from, code.match(from + 1) + 1}, extract.subject);
  };
  if (compares(behind)) return starts_with_subject(behind + 1);
  const size_t before = extract.all.from;
  if (before < 2 || !compares(before - 1)) return false;
  const size_t end = before - 1;  // of the left side
  if (code.symbol(end - 1, ")") && code.match(end - 1) != kNone && code.match(end - 1) > 0)
    return starts_with_subject(code.match(end - 1) - 1);
  return end >= extract.subject.size() && starts_with_subject(end - extract.subject.size());
}

}  // namespace

std::vector<Guard> guards_of(const Code& code, Range condition) {
  std::vector<Guard> found;
  guards_in(code, condition, 0, found);
  return found;
}

void judge_patterns(const Judged& judged, Findings& findings) {
  const Code& code = judged.code;
  for (size_t i = 0; i < code.size(); ++i) {
    if (!code.call(i) || (code[i].lower != "regexp_extract" && code[i].lower != "regexp_extract_all")) continue;
    const auto arguments = code.arguments(i);
    if (arguments.size() == 2) {
      findings.add(code[i], "pattern-group",
                   "without a third argument DuckDB answers the whole match and Spark the first group",
                   "regexp_extract(x, '…', 0), or 1 for the group");
    }
    if (arguments.size() < 2) continue;
    if (arguments[1].size() != 1 || code[arguments[1].from].kind != Kind::text) {
      findings.add(code[i], "pattern", "a pattern that is no plain text cannot be judged", "the pattern as one '…'");
      continue;
    }
    const Token& text = code[arguments[1].from];
    const Pattern pattern = read_pattern(content_of(text));
    for (const Pattern::Fault& fault : pattern.faults) findings.add(text, "pattern", fault.what, fault.instead);
    Extract extract;
    if (pattern.has_end && (!read_extract(code, i, extract) || !end_does_not_matter(code, extract))) {
      findings.add(text, "pattern-end", "'$' in a pattern matches before a last line feed, too, in Spark",
                   "a comparison with the whole text: regexp_extract(x, '^…$', 0) = x");
    }
  }
}

}  // namespace pinflow::portable
