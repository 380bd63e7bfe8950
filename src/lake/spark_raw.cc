#include "lake/spark_raw.h"

#include <fmt/format.h>

#include "gate/json_gate.h"
#include "lake/record_source.h"
#include "spark/session.h"

namespace pinflow::lake {
namespace {

using spark::quote_text;

// Java's patterns. Everything is possessive: no pattern goes back, and none recurses, whatever the line's length.
const std::string kBlanks = R"([ \t\r]*+)";
const std::string kString =
    R"("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u(?:[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|)"
    R"([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})))*+")";
const std::string kNumber = R"(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)";
const std::string kScalar = "(?:" + kString + "|" + kNumber + "|true|false|null)";
const std::string kMember = kString + kBlanks + ":" + kBlanks + kScalar + kBlanks;
const std::string kObject = R"(\{)" + kBlanks + "(?:" + kMember + "(?:," + kBlanks + kMember + R"()*+)?+\})";
const std::string kFlat =
    "^" + kBlanks + "(?:" + kObject + R"(|\[)" + kBlanks + kObject + kBlanks + R"(\]))" + kBlanks + R"(\z)";
// In a flat line only: found from its start, names and values cannot be taken for one another.
const std::string kPair = "(" + kString + ")" + kBlanks + ":" + kBlanks + "(" + kScalar + ")";
const std::string kToken = kString + "|" + kNumber + R"(|true|false|null|[\[\]{}:,]|[ \t\r]++)";

// pf_kind: what a line is at first sight.
constexpr int kIsFlat = 0, kNotUtf8 = 1, kTooLongLine = 2, kOther = 3;

// What a string token stands for.
std::string unescaped(const std::string& token) {
  return fmt::format(
      "CASE WHEN instr({0}, '\\\\') = 0 THEN substring({0}, 2, length({0}) - 2) ELSE from_json('[' || {0} || ']', "
      "'array<string>')[0] END",
      token);
}

// Walks over the tokens of what should be one object: at which token each name of its members stands, and the comma or
// brace behind each value; how deep it is nested; where its first bracket closes.
std::string walk_of(const std::string& tokens) {
  constexpr std::string_view kStep =
      "named_struct('depth', {}, 'deepest', {}, 'closed', {}, 'want', {}, 'names', {}, 'behind', {})";
  const auto step = [&](std::string_view depth, std::string_view deepest, std::string_view closed,
                        std::string_view want, std::string_view names, std::string_view behind) {
    return fmt::format(fmt::runtime(kStep), depth, deepest, closed, want, names, behind);
  };
  const std::string none = "CAST(array() AS ARRAY<INT>)";
  return fmt::format(
      "aggregate(transform({}, (t, i) -> named_struct('t', t, 'i', i)), {}, (a, x) -> CASE "
      "WHEN x.t IN ('{{', '[') THEN {} "
      "WHEN x.t IN ('}}', ']') THEN {} "
      "WHEN a.depth = 1 AND x.t = ',' THEN {} "
      "WHEN a.depth = 1 AND a.want THEN {} ELSE a END)",
      tokens, step("0", "0", "-1", "false", none, none),
      step("a.depth + 1", "greatest(a.deepest, a.depth + 1)", "a.closed", "a.want OR a.depth = 0", "a.names",
           "a.behind"),
      step("a.depth - 1", "a.deepest", "CASE WHEN a.depth = 1 AND a.closed = -1 THEN x.i ELSE a.closed END", "a.want",
           "a.names",
           "CASE WHEN a.depth = 1 AND size(a.names) > size(a.behind) THEN array_append(a.behind, x.i) ELSE a.behind "
           "END"),
      step("a.depth", "a.deepest", "a.closed", "true", "a.names", "array_append(a.behind, x.i)"),
      step("a.depth", "a.deepest", "a.closed", "false", "array_append(a.names, x.i)", "a.behind"));
}

}  // namespace

std::string spark_raw_sql(const std::string& lines, const std::vector<std::string>& fields) {
  std::string names;
  for (const std::string& field : fields) names += (names.empty() ? "" : ", ") + quote_text(field);
  const auto over = [](const std::string& from, const std::string& columns) {
    return "SELECT *, " + columns + " FROM (" + from + ")";
  };
  std::string sql = over(
      lines, fmt::format("CASE WHEN octet_length(value) > {} THEN {} WHEN NOT is_valid_utf8(value) THEN {} WHEN value "
                         "RLIKE {} THEN {} ELSE {} END AS pf_kind",
                         gate::kMaxRecordBytes, kTooLongLine, kNotUtf8, quote_text(kFlat), kIsFlat, kOther));
  // Not flat: its tokens, which must make up the whole line; without blanks; without the brackets of a list.
  sql = over(sql, fmt::format("CASE WHEN pf_kind = {} THEN regexp_extract_all(value, {}, 0) END AS pf_lexed", kOther,
                              quote_text(kToken)));
  sql = over(sql,
             "CASE WHEN aggregate(pf_lexed, 0, (n, t) -> n + length(t)) = length(value) THEN "
             "filter(pf_lexed, t -> left(t, 1) NOT IN (' ', '\\t', '\\r')) END AS pf_tokens");
  sql = over(sql,
             "CASE WHEN size(pf_tokens) > 1 THEN CASE WHEN get(pf_tokens, 0) = '[' AND get(pf_tokens, size(pf_tokens) "
             "- 1) = ']' THEN slice(pf_tokens, 2, size(pf_tokens) - 2) ELSE pf_tokens END END AS pf_body");
  sql = over(sql, "CASE WHEN get(pf_body, 0) = '{' THEN " + walk_of("pf_body") + " END AS pf_walk");
  // Numbers are valid, being tokens; try_parse_json has limits for them that JSON has not.
  sql = over(sql, fmt::format("CASE WHEN pf_walk.closed = size(pf_body) - 1 AND pf_walk.deepest + CASE WHEN "
                              "size(pf_tokens) > size(pf_body) THEN 1 ELSE 0 END <= {} THEN "
                              "try_parse_json(array_join(transform(pf_tokens, t -> CASE WHEN left(t, 1) IN ('-', '0', "
                              "'1', '2', '3', '4', '5', '6', '7', '8', '9') THEN '0' ELSE t END), '')) IS NOT NULL "
                              "ELSE false END AS pf_whole",
                              gate::kMaxDepth));
  sql = over(sql,
             fmt::format("CASE WHEN pf_kind = {0} THEN regexp_extract_all(value, {1}, 1) WHEN pf_whole THEN "
                         "transform(pf_walk.names, at -> get(pf_body, at)) END AS pf_names, "
                         "CASE WHEN pf_kind = {0} THEN regexp_extract_all(value, {1}, 2) WHEN pf_whole THEN "
                         "transform(pf_walk.names, (at, i) -> array_join(slice(pf_body, at + 3, get(pf_walk.behind, i) "
                         "- at - 2), '')) END AS pf_values",
                         kIsFlat, quote_text(kPair)));
  sql = over(sql, "transform(pf_names, t -> " + unescaped("t") + ") AS pf_keys");
  sql = over(sql, fmt::format("CASE WHEN pf_kind = {} THEN {} WHEN pf_keys IS NULL OR size(array_distinct(pf_keys)) < "
                              "size(pf_keys) THEN {} ELSE {} END AS fault",
                              kTooLongLine, static_cast<int>(Fault::too_long), static_cast<int>(Fault::not_an_object),
                              static_cast<int>(Fault::none)));
  sql = over(sql, fmt::format("CASE WHEN fault = {1} THEN size(array_except(array({0}), pf_keys)) ELSE 0 END AS "
                              "missing, CASE WHEN fault = {1} THEN size(array_except(pf_keys, array({0}))) ELSE 0 END "
                              "AS unknown, CASE WHEN fault = {1} THEN map_from_arrays(pf_keys, pf_values) END AS "
                              "pf_found",
                              names, static_cast<int>(Fault::none)));
  std::string tokens;
  std::string texts;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string token = fmt::format("pf_token_{}", i);
    tokens += fmt::format("{}try_element_at(pf_found, {}) AS {}", i == 0 ? "" : ", ", quote_text(fields[i]), token);
    texts += fmt::format("{}CASE WHEN {} = 'null' THEN NULL WHEN startswith({}, '\"') THEN {} ELSE {} END AS field_{}",
                         i == 0 ? "" : ", ", token, token, unescaped(token), token, i);
  }
  return fields.empty() ? sql : over(over(sql, tokens), texts);
}

std::string spark_shown_sql(const std::string& value, const std::string& fault) {
  // In hexadecimal, a byte is two digits: each one at which no character begins becomes U+FFFD.
  const std::string characters =
      "(?:[0-7].|(?:C[2-9A-F]|D.)[89AB].|E0[AB].[89AB].|(?:E[1-9ABCEF])[89AB].[89AB].|ED[89].[89AB].|F0[9AB]."
      "(?:[89AB].){2}|F[1-3](?:[89AB].){3}|F48.(?:[89AB].){2})*+";
  const std::string pattern = quote_text("\\G(" + characters + ")(?!\\z)..");
  const auto repaired = [&](const std::string& text) {
    return "CAST(unhex(regexp_replace(hex(" + text + "), " + pattern + ", '$1EFBFBD')) AS STRING)";
  };
  // A cut does not go through a character: what the cut began of one goes.
  const std::string cut = fmt::format(
      "CAST(unhex(CASE WHEN substring(hex({0}), {1}, 1) IN ('8', '9', 'A', 'B') THEN "
      "regexp_replace(substring(hex({0}), "
      "1, {2}), '[C-F].(?:[89AB].)*+\\\\z', '') ELSE substring(hex({0}), 1, {2}) END) AS STRING)",
      "substring(CAST(" + value + " AS BINARY), 1, " + std::to_string(kShownOfTooLong + 1) + ")",
      2 * kShownOfTooLong + 1, 2 * kShownOfTooLong);
  const std::string shown =
      fmt::format("CASE WHEN {} = {} THEN {} ELSE {} END", fault, static_cast<int>(Fault::too_long), cut, value);
  return "CASE WHEN is_valid_utf8(" + shown + ") THEN " + shown + " ELSE " + repaired(shown) + " END";
}

}  // namespace pinflow::lake
