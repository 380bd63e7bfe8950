#include "portable/prelude.h"

#include <algorithm>

#include "portable/code.h"

namespace pinflow::portable {
namespace {

const pipeline::Sql* find_prelude(const pipeline::Pipeline& pipeline, const std::string& engine) {
  const auto found = pipeline.preludes.find(engine);
  return found == pipeline.preludes.end() ? nullptr : &found->second;
}

std::vector<OwnFunction> functions_in(const pipeline::Sql* prelude) {
  return prelude == nullptr ? std::vector<OwnFunction>{} : functions_of(prelude->text);
}

// What `there` lacks of `here`.
void compare(const pipeline::Sql* here, const pipeline::Sql* there, std::string_view engine,
             std::vector<Finding>& found) {
  const auto others = functions_in(there);
  for (const OwnFunction& own : functions_in(here)) {
    const auto same = [&](const OwnFunction& other) {
      return other.name == own.name && other.parameters == own.parameters;
    };
    if (std::ranges::any_of(others, same)) continue;
    const bool named = std::ranges::any_of(others, [&](const OwnFunction& other) { return other.name == own.name; });
    const std::string where =
        there == nullptr ? fmt::format("the prelude for {}, which is not there", engine) : there->file.string();
    found.push_back({here->file.string(), own.line, own.column, "prelude",
                     named ? fmt::format("{} has {} parameter{} here, and another number in {}", own.name,
                                         own.parameters, own.parameters == 1 ? "" : "s", where)
                           : fmt::format("{} is missing in {}", own.name, where),
                     "the same function for both engines"});
  }
}

}  // namespace

std::vector<OwnFunction> functions_of(std::string_view prelude) {
  const Code code(prelude);
  std::vector<OwnFunction> found;
  for (size_t i = 0; i < code.size(); ++i) {
    if (!code.word(i, "create")) continue;
    size_t at = i + 1;
    while (code.any_word(at, {"or", "replace", "temp", "temporary"})) ++at;
    if (!code.any_word(at, {"macro", "function"})) continue;
    ++at;
    if (code.word(at, "if")) at += 3;  // IF NOT EXISTS
    while (code.name(at) && code.symbol(at + 1, ".")) at += 2;
    if (!code.name(at) || !code.symbol(at + 1, "(")) continue;
    found.push_back({code[at].lower, code.arguments(at).size(), code[at].line, code[at].column});
    for (size_t open = at + 1; code.symbol(open, "(") && code.match(open) != kNone;) {  // …, (a, b) AS …
      size_t next = code.match(open) + 1;
      for (; next < code.size() && !code.symbol(next, ";") && !code.symbol(next, ","); ++next) {
        if (code.match(next) != kNone && code.match(next) > next) next = code.match(next);
      }
      if (!code.symbol(next, ",") || !code.symbol(next + 1, "(")) break;
      const Token& form = code[next + 1];
      found.push_back({code[at].lower, code.arguments(next).size(), form.line, form.column});
      open = next + 1;
    }
  }
  return found;
}

std::vector<Finding> compare_preludes(const pipeline::Pipeline& pipeline) {
  std::vector<Finding> found;
  const pipeline::Sql* duckdb = find_prelude(pipeline, "duckdb");
  const pipeline::Sql* spark = find_prelude(pipeline, "spark");
  compare(duckdb, spark, "spark", found);
  compare(spark, duckdb, "duckdb", found);
  return found;
}

}  // namespace pinflow::portable
