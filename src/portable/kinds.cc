// What an expression may be: a text, a fraction, a double, or something else.
#include <algorithm>
#include <array>

#include "portable/rules.h"
#include "portable/types.h"

namespace pinflow::portable {
namespace {

using Names = std::string_view;

constexpr auto kOfText = std::to_array<std::string_view>(
    {"substring",  "substr", "left",   "right",      "lower",          "upper",          "lcase",  "ucase",
     "trim",       "ltrim",  "rtrim",  "replace",    "regexp_extract", "regexp_replace", "concat", "concat_ws",
     "split_part", "lpad",   "rpad",   "repeat",     "reverse",        "translate",      "chr",    "md5",
     "sha1",       "hex",    "base64", "string_agg", "listagg",        "printf",         "bin",    "typeof"});
constexpr auto kOfDouble = std::to_array<std::string_view>(
    {"avg",     "mean",      "stddev",       "stddev_pop",     "stddev_samp", "variance",
     "var_pop", "var_samp",  "corr",         "covar_pop",      "covar_samp",  "sqrt",
     "exp",     "ln",        "log10",        "log2",           "power",       "pow",
     "sin",     "cos",       "tan",          "asin",           "acos",        "atan",
     "atan2",   "sinh",      "cosh",         "tanh",           "degrees",     "radians",
     "pi",      "cume_dist", "percent_rank", "percentile_cont"});
constexpr auto kOfFirst =
    std::to_array<std::string_view>({"nullif", "max", "min", "any_value", "first", "last", "first_value", "last_value",
                                     "nth_value", "lag", "lead", "max_by", "min_by", "mode", "abs", "sum"});
constexpr auto kOfAll = std::to_array<std::string_view>({"coalesce", "ifnull", "greatest", "least", "if"});

template <size_t N>
bool is_one_of(const std::array<Names, N>& all, Names name) {
  return std::ranges::find(all, name) != all.end();
}

unsigned of_type(TypeClass type) {
  switch (type) {
    case TypeClass::text: return kText;
    case TypeClass::fraction: return kFraction;
    case TypeClass::double_: return kDouble;
    default: return kOther;
  }
}

class Reader {
 public:
  explicit Reader(const Judged& judged) : judged_(judged), code_(judged.code) {}

  unsigned kinds(Range range, int depth) const {
    while (range.size() > 2 && code_.symbol(range.from, "(") && code_.match(range.from) == range.to - 1)
      range = {range.from + 1, range.to - 1};
    if (range.empty() || depth > 24 || code_.any_word(range.from, {"select", "not", "exists", "interval"}))
      return kOther;
    if (has(range, {"and", "or", "is", "in", "between", "like", "ilike", "=", "==", "<>", "!=", "<", ">", "<=", ">="}))
      return kOther;
    if (has(range, {"||"})) return kText;
    if (const auto parts = code_.split(range, {"+", "-", "*", "/", "%"}); parts.size() > 1) {
      unsigned found = has(range, {"/"}) ? kDouble : 0;
      for (const Range& part : parts) {
        if (!part.empty()) found |= kinds(part, depth + 1);
      }
      return (found & ~kText) | kOther;
    }
    Cast cast;
    if (const size_t at = last_of(range, "::"); at != kNone && read_cast(code_, at, cast))
      return of_type(class_of(code_, cast.type));
    if (read_cast(code_, range.from, cast)) return of_type(class_of(code_, cast.type));
    if (code_.word(range.from, "case") && code_.match(range.from) == range.to - 1) return of_case(range, depth);
    if (code_.call(range.from)) return of_call(range.from, depth);
    return of_value(range, depth);
  }

 private:
  bool has(Range range, std::initializer_list<Names> words) const { return code_.split(range, words).size() > 1; }

  size_t last_of(Range range, Names symbol) const {
    const auto parts = code_.split(range, {symbol});
    return parts.size() > 1 ? parts.back().from - 1 : kNone;
  }

  unsigned of_case(Range range, int depth) const {
    unsigned found = 0;
    for (size_t i = range.from + 1; i + 1 < range.to; ++i) {
      if (code_.open(i) != range.from || !code_.any_word(i, {"then", "else"})) continue;
      size_t end = i + 1;
      while (end + 1 < range.to && !(code_.open(end) == range.from && code_.any_word(end, {"when", "else"}))) ++end;
      if (!code_.any_word(end, {"when", "else"})) end = range.to - 1;
      found |= kinds({i + 1, end}, depth + 1);
    }
    return found;
  }

  unsigned of_call(size_t at, int depth) const {
    const std::string& name = code_[at].lower;
    const auto arguments = code_.arguments(at);
    if (is_one_of(kOfText, name)) return kText;
    if (is_one_of(kOfDouble, name)) return kDouble;
    if (name == "median") return kFraction | kDouble;
    unsigned found = 0;
    if (is_one_of(kOfFirst, name)) return arguments.empty() ? kOther : kinds(arguments[0], depth + 1);
    if (is_one_of(kOfAll, name)) {
      for (size_t i = name == "if" ? 1 : 0; i < arguments.size(); ++i) found |= kinds(arguments[i], depth + 1);
      return found;
    }
    if (name == "round" && arguments.size() == 2 && !(arguments[1].size() == 1 && code_[arguments[1].from].text == "0"))
      return kinds(arguments[0], depth + 1);
    return kOther;
  }

  unsigned of_value(Range range, int depth) const {
    const Token& last = code_[range.to - 1];
    if (range.size() == 1 && last.kind == Kind::text) return kText;
    if (range.size() == 1 && last.kind == Kind::parameter) return kText;
    if (range.size() == 1 && last.kind == Kind::number) {
      const bool exponent = last.text.find_first_of("eE") != std::string_view::npos;
      return exponent ? kDouble : last.text.contains('.') ? kFraction : kOther;
    }
    const bool qualified = range.size() == 3 && code_.symbol(range.from + 1, ".");
    if (!code_.name(range.to - 1) || (range.size() != 1 && !qualified)) return kOther;
    unsigned found = judged_.texts.contains(last.lower) ? kText : 0;
    if (judged_.doubles.contains(last.lower)) found |= kDouble;
    for (const Range& meaning : code_.meanings(last.lower)) {
      const bool of_itself = meaning.from <= range.from && range.to <= meaning.to;
      if (!of_itself) found |= kinds(meaning, depth + 8);
    }
    return found == 0 ? kOther : found;
  }

  const Judged& judged_;
  const Code& code_;
};

}  // namespace

unsigned kinds_of(const Judged& judged, Range expression) { return Reader(judged).kinds(expression, 0); }

std::vector<size_t> texts_in(const Judged& judged, Range expression) {
  const Code& code = judged.code;
  std::vector<size_t> found;
  for (size_t i = expression.from; i < expression.to; ++i) {
    if (!code.name(i) || code.call(i) || code.symbol(i + 1, ".")) continue;
    if (code.any_word(i, {"case", "when", "then", "else", "end", "as", "and", "or", "not", "null", "is"})) continue;
    if ((kinds_of(judged, {i, i + 1}) & kText) != 0) found.push_back(i);
  }
  return found;
}

}  // namespace pinflow::portable
