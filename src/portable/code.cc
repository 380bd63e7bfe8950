#include "portable/code.h"

#include <algorithm>
#include <array>

namespace pinflow::portable {
namespace {

// Words that a bracket may follow without being called.
constexpr auto kNotCalled = std::to_array<std::string_view>(
    {"all",      "and",    "any",   "as",     "between",   "by",       "case",    "cross",  "cube",
     "distinct", "else",   "end",   "except", "exclude",   "exists",   "filter",  "from",   "full",
     "group",    "having", "in",    "inner",  "intersect", "interval", "is",      "join",   "lateral",
     "left",     "like",   "ilike", "limit",  "minus",     "natural",  "not",     "offset", "on",
     "or",       "order",  "outer", "over",   "partition", "pivot",    "qualify", "rename", "right",
     "rollup",   "select", "semi",  "set",    "sets",      "some",     "then",    "union",  "unpivot",
     "using",    "values", "when",  "where",  "window",    "with",     "within"});
// Of these, functions of the same name exist: right('abc', 1), left('abc', 1).
constexpr auto kAlsoCalled = std::to_array<std::string_view>({"left", "right"});

constexpr auto kClauses =
    std::to_array<std::string_view>({"from", "where", "group", "having", "qualify", "window", "order", "limit",
                                     "offset", "sort", "cluster", "distribute"});

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& all, std::string_view word) {
  return std::ranges::find(all, word) != all.end();
}

}  // namespace

Code::Code(std::string_view sql) {
  for (Token& token : tokens_of(sql)) (token.kind == Kind::comment ? comments_ : tokens_).push_back(std::move(token));
  pair();
  find_selects();
}

void Code::pair() {
  match_.assign(size(), kNone);
  open_.assign(size(), kNone);
  std::vector<size_t> around;
  const auto closes = [&](size_t opened, size_t i) {
    if (word(opened, "case")) return word(i, "end");
    return symbol(opened, "(") ? symbol(i, ")") : symbol(opened, "[") ? symbol(i, "]") : symbol(i, "}");
  };
  for (size_t i = 0; i < size(); ++i) {
    const bool closer = symbol(i, ")") || symbol(i, "]") || symbol(i, "}") || word(i, "end");
    if (closer && !around.empty() && closes(around.back(), i)) {
      match_[i] = around.back();
      match_[around.back()] = i;
      around.pop_back();
    }
    if (!around.empty()) open_[i] = around.back();
    if (symbol(i, "(") || symbol(i, "[") || symbol(i, "{") || word(i, "case")) around.push_back(i);
  }
}

bool Code::word(size_t i, std::string_view lower) const {
  return i < size() && tokens_[i].kind == Kind::word && tokens_[i].lower == lower;
}

bool Code::any_word(size_t i, std::initializer_list<std::string_view> lower) const {
  return std::ranges::any_of(lower, [&](std::string_view each) { return word(i, each); });
}

bool Code::symbol(size_t i, std::string_view text) const {
  return i < size() && tokens_[i].kind == Kind::symbol && tokens_[i].text == text;
}

bool Code::name(size_t i) const {
  return i < size() && (tokens_[i].kind == Kind::word || tokens_[i].kind == Kind::quoted_name);
}

bool Code::same(Range a, Range b) const {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (tokens_[a.from + i].lower != tokens_[b.from + i].lower) return false;
  }
  return true;
}

bool Code::call(size_t i) const {
  if (!name(i) || !symbol(i + 1, "(")) return false;
  const std::string& lower = tokens_[i].lower;
  if (tokens_[i].kind == Kind::word && is_one_of(kNotCalled, lower) && !is_one_of(kAlsoCalled, lower)) return false;
  if (i > 0 && (symbol(i - 1, ")") || word(i - 1, "as") || symbol(i - 1, "::"))) return false;  // an alias, a type
  if (i > 0 && any_word(i - 1, {"with", "recursive", "into", "table", "view"})) return false;
  const size_t close = match_[i + 1];
  return close == kNone || !(word(close + 1, "as") && symbol(close + 2, "("));  // WITH …, t(a, b) AS (
}

std::vector<Range> Code::arguments(size_t call) const {
  const size_t open = call + 1;
  if (open >= size() || !symbol(open, "(") || match_[open] == kNone || match_[open] == open + 1) return {};
  return split({open + 1, match_[open]}, {","});
}

bool Code::within(size_t i, std::string_view function) const {
  for (size_t around = open_[i]; around != kNone; around = open_[around]) {
    if (around > 0 && symbol(around, "(") && word(around - 1, function)) return true;
  }
  return false;
}

std::vector<Range> Code::split(Range range, std::initializer_list<std::string_view> separators) const {
  std::vector<Range> parts;
  size_t from = range.from;
  for (size_t i = range.from; i < range.to; ++i) {
    const bool separates =
        std::ranges::any_of(separators, [&](std::string_view s) { return symbol(i, s) || word(i, s); });
    if (separates) {
      parts.push_back({from, i});
      from = i + 1;
    } else if (match_[i] != kNone && match_[i] > i) {
      i = std::min(match_[i], range.to - 1);
    }
  }
  parts.push_back({from, range.to});
  return parts;
}

void Code::find_selects() {
  for (size_t at = 0; at < size(); ++at) {
    if (!word(at, "select")) continue;
    Select select;
    select.at = at;
    size_t first = at + 1;
    if (any_word(first, {"distinct", "all"})) ++first;
    size_t list_end = kNone, end = at + 1;
    for (; end < size() && open_[end] == open_[at]; ++end) {
      const bool excepted = word(end, "except") && symbol(end - 1, "*");
      if (end > at + 1 && !excepted && any_word(end, {"union", "intersect", "except", "minus"})) break;
      if (symbol(end, ";") || symbol(end, "|>") || symbol(end, ")")) break;
      const bool compares = word(end, "from") && word(end - 1, "distinct") && any_word(end - 2, {"is", "not"});
      if (list_end == kNone && !compares && tokens_[end].kind == Kind::word && is_one_of(kClauses, tokens_[end].lower))
        list_end = end;
      if (match_[end] != kNone && match_[end] > end) end = match_[end];
    }
    select.all = {at, end};
    for (const Range& part : split({first, list_end == kNone ? end : list_end}, {","})) {
      if (!part.empty()) select.items.push_back(item_of(part));
    }
    selects_.push_back(std::move(select));
  }
}

Item Code::item_of(Range range) const {
  const size_t last = range.to - 1;
  if (!name(last) || word(last, "end")) return {range, ""};
  if (range.size() == 1) return {range, tokens_[last].lower};
  if (word(last - 1, "as")) return {{range.from, last - 1}, tokens_[last].lower};
  if (symbol(last - 1, ".")) return {range, tokens_[last].lower};
  if (symbol(last - 1, ")") || name(last - 1) || tokens_[last - 1].kind == Kind::number)
    return {{range.from, last}, tokens_[last].lower};
  return {range, ""};
}

std::vector<Range> Code::meanings(std::string_view lower) const {
  std::vector<Range> found;
  for (const Select& select : selects_) {
    for (const Item& item : select.items) {
      if (item.name == lower && item.expression.size() > 0 &&
          !(item.expression.size() == 1 && name(item.expression.from)))
        found.push_back(item.expression);
    }
  }
  return found;
}

bool Code::is_common_table(std::string_view lower) const {
  for (size_t i = 1; i + 2 < size(); ++i) {
    if (!name(i) || tokens_[i].lower != lower || !(any_word(i - 1, {"with", "recursive"}) || symbol(i - 1, ",")))
      continue;
    const size_t behind = symbol(i + 1, "(") && match_[i + 1] != kNone ? match_[i + 1] + 1 : i + 1;
    if (word(behind, "as")) return true;
  }
  return false;
}

}  // namespace pinflow::portable
