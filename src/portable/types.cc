#include "portable/types.h"

#include <algorithm>

namespace pinflow::portable {
namespace {

size_t end_of_type(const Code& code, size_t type) {
  size_t end = type + 1;
  if (code.symbol(end, "(") && code.match(end) != kNone) end = code.match(end) + 1;
  return end;
}

}  // namespace

Range value_before(const Code& code, size_t end) {
  size_t at = end - 1;
  if (code.match(at) != kNone && code.match(at) < at) {
    at = code.match(at);
    if (at > 0 && code.symbol(at, "(") && (code.call(at - 1) || code.any_word(at - 1, {"cast", "try_cast"}))) --at;
  }
  while (at >= 2 && code.symbol(at - 1, ".") && code.name(at - 2)) at -= 2;
  return {at, end};
}

Range value_at(const Code& code, size_t from) {
  size_t end = from + 1;
  if (code.name(from) && code.symbol(end, "(") && code.match(end) != kNone) return {from, code.match(end) + 1};
  if (from < code.size() && code.match(from) != kNone && code.match(from) > from) return {from, code.match(from) + 1};
  while (code.symbol(end, ".") && code.name(end + 1)) end += 2;
  return {from, std::min(end, code.size())};
}

bool read_cast(const Code& code, size_t i, Cast& out) {
  if (code.symbol(i, "::")) {
    if (i == 0 || i + 1 >= code.size()) return false;
    const Range value = value_before(code, i);
    out = {value, i + 1, {value.from, end_of_type(code, i + 1)}};
    return true;
  }
  if (!code.any_word(i, {"cast", "try_cast"}) || !code.symbol(i + 1, "(") || code.match(i + 1) == kNone) return false;
  const auto parts = code.split({i + 2, code.match(i + 1)}, {"as"});
  if (parts.size() != 2 || parts[1].empty()) return false;
  out = {parts[0], parts[1].from, {i, code.match(i + 1) + 1}};
  return true;
}

TypeClass class_of(const Code& code, size_t type) {
  if (code.symbol(end_of_type(code, type), "[")) return TypeClass::unknown;  // INT[]
  if (code.any_word(type, {"tinyint", "smallint", "int", "integer", "bigint", "long"})) return TypeClass::integer;
  if (code.any_word(type, {"decimal", "numeric"})) return TypeClass::fraction;
  if (code.any_word(type, {"float", "real", "double"})) return TypeClass::double_;
  if (code.word(type, "string")) return TypeClass::text;
  if (code.any_word(type, {"varchar", "char"}) && code.symbol(type + 1, "(")) return TypeClass::text;
  if (code.word(type, "boolean")) return TypeClass::boolean;
  if (code.word(type, "date")) return TypeClass::date;
  if (code.word(type, "timestamp") && !code.any_word(type + 1, {"with", "without"})) return TypeClass::timestamp;
  return TypeClass::unknown;
}

bool lacks_precision(const Code& code, size_t type) {
  return code.any_word(type, {"decimal", "numeric"}) && !code.symbol(type + 1, "(");
}

}  // namespace pinflow::portable
