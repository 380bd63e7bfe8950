// Casts: foreign text only behind a guard, fractions only rounded, types that both engines call the same.
#include <algorithm>
#include <cctype>

#include "portable/pattern.h"
#include "portable/rules.h"
#include "portable/types.h"

namespace pinflow::portable {
namespace {

constexpr std::string_view kDigits = "0123456789";

// What a value says when each of its digits is a 9.
std::string shape_of(std::string_view text) {
  std::string shape(text);
  for (char& byte : shape) {
    if (byte >= '0' && byte <= '9') byte = '9';
  }
  return shape;
}

bool plain_number(std::string_view text, bool fraction) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t point = text.find('.');
  if (point != std::string_view::npos && !fraction) return false;
  const std::string_view whole = text.substr(0, point);
  const std::string_view rest = point == std::string_view::npos ? "0" : text.substr(point + 1);
  return !whole.empty() && !rest.empty() && whole.find_first_not_of(kDigits) == std::string_view::npos &&
         rest.find_first_not_of(kDigits) == std::string_view::npos;
}

// Whether both engines read this very text as the same value.
bool literal_is_safe(std::string_view text, TypeClass type) {
  const std::string shape = shape_of(text);
  switch (type) {
    case TypeClass::integer: return plain_number(text, false);
    case TypeClass::fraction:
    case TypeClass::double_: return plain_number(text, true);
    case TypeClass::boolean: return text == "true" || text == "false";
    case TypeClass::date: return shape == "9999-99-99";
    case TypeClass::timestamp:
      return shape == "9999-99-99" || shape == "9999-99-99 99:99:99" || shape == "9999-99-99T99:99:99";
    default: return true;
  }
}

// Whether all texts that the pattern lets through are read as the same value.
bool pattern_is_safe(const Pattern& pattern, TypeClass type) {
  switch (type) {
    case TypeClass::integer: return pattern.only("0123456789-+");
    case TypeClass::fraction:
    case TypeClass::double_: return pattern.only("0123456789-+.eE");
    case TypeClass::date: return pattern.only("0123456789-") && pattern.least == 10 && pattern.most == 10;
    case TypeClass::timestamp:
      return pattern.only("0123456789-: T.") && (pattern.least >= 19 || (pattern.least == 10 && pattern.most == 10));
    default: return false;
  }
}

std::string guard_for(std::string_view name, TypeClass type) {
  switch (type) {
    case TypeClass::integer:
      return fmt::format(
          "CASE WHEN regexp_extract({0}, '^-?[0-9]{{1,9}}$', 0) = NULLIF({0}, '') THEN CAST({0} AS …) END", name);
    case TypeClass::date:
      return fmt::format(
          "CASE WHEN regexp_extract({0}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$', 0) = NULLIF({0}, '') THEN TRY_CAST({0} "
          "AS DATE) END",
          name);
    case TypeClass::timestamp:
      return fmt::format(
          "CASE WHEN regexp_extract({0}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}$', 0) = "
          "{0} "
          "THEN TRY_CAST({0} AS TIMESTAMP) END",
          name);
    case TypeClass::boolean: return fmt::format("CASE {0} WHEN 'true' THEN true WHEN 'false' THEN false END", name);
    default:
      return fmt::format(
          "CASE WHEN regexp_extract({0}, '^-?[0-9]{{1,15}}([.][0-9]{{1,9}})?$', 0) = NULLIF({0}, '') THEN CAST({0} AS "
          "…) END",
          name);
  }
}

// The guards that hold where the token stands: of the WHEN of each CASE around it.
std::vector<Guard> guards_around(const Code& code, size_t at) {
  std::vector<Guard> found;
  for (size_t inner = at, around = code.open(at); around != kNone; inner = around, around = code.open(around)) {
    if (!code.word(around, "case") || !code.word(around + 1, "when")) continue;
    size_t then = kNone, when = kNone;
    for (size_t i = around + 1; i <= inner; ++i) {
      if (code.open(i) != around) continue;
      if (code.word(i, "when")) when = i, then = kNone;
      if (code.word(i, "then")) then = i;
      if (code.word(i, "else")) when = then = kNone;
    }
    if (when == kNone || then == kNone) continue;
    for (const Guard& guard : guards_of(code, {when + 1, then})) found.push_back(guard);
  }
  return found;
}

size_t name_at(const Code& code, Range range) {
  return range.size() == 3 && code.symbol(range.from + 1, ".") ? range.to - 1 : range.size() == 1 ? range.from : kNone;
}

bool same_value(const Code& code, Range a, Range b) {
  if (code.same(a, b)) return true;
  const size_t x = name_at(code, a), y = name_at(code, b);
  return x != kNone && y != kNone && code[x].lower == code[y].lower;  // t.x and x
}

// A match of a pattern, as it is or NULLIF(…, ''): the pattern's token.
size_t pattern_of_match(const Code& code, Range operand) {
  if (code.word(operand.from, "nullif") && code.call(operand.from)) {
    const auto arguments = code.arguments(operand.from);
    if (arguments.empty()) return kNone;
    operand = arguments[0];
  }
  if (operand.empty() || !code.call(operand.from) || code[operand.from].lower != "regexp_extract") return kNone;
  const auto arguments = code.arguments(operand.from);
  const bool whole = code.match(operand.from + 1) + 1 == operand.to;
  if (!whole || arguments.size() != 3 || code[arguments[2].from].text != "0" || arguments[1].size() != 1) return kNone;
  return code[arguments[1].from].kind == Kind::text ? arguments[1].from : kNone;
}

void judge_text(const Judged& judged, const Cast& cast, const Token& at, TypeClass type, Findings& findings) {
  const Code& code = judged.code;
  const Token& first = code[cast.operand.from];
  const auto refuse = [&](std::string what) {
    const size_t name = name_at(code, cast.operand);
    findings.add(at, "text-cast", std::move(what), guard_for(name == kNone ? "x" : code[name].text, type));
  };
  if (cast.operand.size() == 1 && first.kind == Kind::parameter) return;  // $date is a day
  if (cast.operand.size() == 1 && first.kind == Kind::text) {
    if (!literal_is_safe(content_of(first), type))
      refuse(std::string(first.text) + " is read as another value by each engine");
    return;
  }
  if (const size_t pattern = pattern_of_match(code, cast.operand); pattern != kNone) {
    if (!pattern_is_safe(read_pattern(content_of(code[pattern])), type))
      refuse("what this pattern matches can be read as another value by each engine");
    return;
  }
  const auto guards = guards_around(code, cast.all.from);
  for (const Guard& guard : guards) {
    if (!same_value(code, guard.subject, cast.operand)) continue;
    if (!pattern_is_safe(read_pattern(content_of(code[guard.pattern])), type))
      refuse(
          "the guard before this cast lets text through that the engines read differently ('9.7', '1e3', '2020', "
          "'epoch')");
    return;
  }
  for (const size_t name : texts_in(judged, cast.operand)) {
    const auto of_name = [&](const Guard& guard) {
      const size_t subject = name_at(code, guard.subject);
      return subject != kNone && code[subject].lower == code[name].lower &&
             !read_pattern(content_of(code[guard.pattern])).any;
    };
    if (std::ranges::any_of(guards, of_name)) continue;
    return refuse(std::string(code[name].text) +
                  " is text, and cast without a guard: the engines read odd text differently ('9.7', '1e3', '2020')");
  }
}

}  // namespace

void judge_casts(const Judged& judged, Findings& findings) {
  const Code& code = judged.code;
  for (size_t i = 0; i < code.size(); ++i) {
    Cast cast;
    if (!read_cast(code, i, cast)) continue;
    const TypeClass type = class_of(code, cast.type);
    if (type == TypeClass::unknown) {
      findings.add(code[cast.type], "type", std::string(code[cast.type].text) + " is no type of both engines",
                   "STRING, BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL(p, s), DATE or TIMESTAMP");
      continue;
    }
    if (lacks_precision(code, cast.type)) {
      findings.add(code[cast.type], "decimal",
                   "without (p, s) this is DECIMAL(18, 3) in DuckDB and DECIMAL(10, 0) in Spark", "DECIMAL(18, 3)");
    }
    const unsigned kinds = kinds_of(judged, cast.operand);
    if (type == TypeClass::text) {
      if ((kinds & kDouble) != 0) {
        findings.add(code[i], "double-text", "a double as text is 1e+20 in DuckDB and 1.0E20 in Spark",
                     "CAST(CAST(x AS DECIMAL(p, s)) AS STRING)");
      }
      continue;
    }
    if ((kinds & kText) != 0) judge_text(judged, cast, code[i], type, findings);
    if (type == TypeClass::integer && (kinds & (kFraction | kDouble)) != 0) {
      findings.add(code[i], "fraction-cast", "a fraction cast to an integer is rounded in DuckDB and cut off in Spark",
                   "CAST(round(x, 0) AS BIGINT), or floor(x) in it");
    }
  }
}

}  // namespace pinflow::portable
