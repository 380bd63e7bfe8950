#include "lake/spark_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lake/spark_lake.h"
#include "spark/session.h"

namespace pinflow::lake {
namespace {

using spark::quote_name;
using spark::quote_text;

std::string joined(const std::vector<std::string>& conditions) {
  return conditions.empty() ? "false" : fmt::format("({})", fmt::join(conditions, " OR "));
}

// The objects by partition, as a condition on part and first.
std::string among(const std::vector<TopicObject>& objects, const std::set<size_t>& which) {
  std::map<int32_t, std::vector<int64_t>> firsts;
  for (const size_t at : which) firsts[objects[at].partition].push_back(objects[at].first_offset);
  std::vector<std::string> conditions;
  for (const auto& [partition, offsets] : firsts)
    conditions.push_back(fmt::format("part = {} AND first IN ({})", partition, fmt::join(offsets, ", ")));
  return joined(conditions);
}

// Spark lists the topic's folder and opens only files that this condition on their paths lets through.
std::string all_lines(const std::string& lake, const std::string& topic, const std::vector<TopicObject>& objects) {
  const std::string pattern = quote_text("/partition=([0-9]+)/\\Q" + topic + "\\E[+]\\1[+]([0-9]+)[.]json$");
  const std::string part = fmt::format("try_cast(regexp_extract(_metadata.file_path, {}, 1) AS INT)", pattern);
  const std::string first = fmt::format("try_cast(regexp_extract(_metadata.file_path, {}, 2) AS BIGINT)", pattern);
  std::map<int32_t, std::pair<int64_t, int64_t>> ranges;
  for (const TopicObject& object : objects) {
    auto& range = ranges.try_emplace(object.partition, object.first_offset, object.first_offset).first->second;
    range.second = std::max(range.second, object.first_offset);
  }
  std::vector<std::string> conditions;
  for (const auto& [partition, range] : ranges) {
    conditions.push_back(
        fmt::format("{} = {} AND {} BETWEEN {} AND {}", part, partition, first, range.first, range.second));
  }
  return fmt::format(
      "SELECT value, {} AS part, {} AS first, _metadata.file_name AS file, _metadata.file_block_start AS block, "
      "monotonically_increasing_id() AS id, octet_length(value) + 1 AS bytes FROM text.{} WITH ('lineSep' = '\\n', "
      "'recursiveFileLookup' = 'true') WHERE {}",
      part, first, quote_name(spark_literal_path(lake + "/topics/" + topic)), joined(conditions));
}

// Those at the offsets that are meant; `from` and `to` are of a partition.
std::string in_range(const std::vector<TopicObject>& objects, const std::set<size_t>& which) {
  std::map<int32_t, std::pair<int64_t, int64_t>> ranges;
  for (const size_t at : which) ranges[objects[at].partition] = {objects[at].from, objects[at].to};
  std::vector<std::string> conditions;
  for (const auto& [partition, range] : ranges) {
    conditions.push_back(fmt::format("part = {} AND first + n BETWEEN {} AND {}", partition, range.first,
                                     range.second == INT64_MAX ? INT64_MAX : range.second - 1));
  }
  return joined(conditions);
}

}  // namespace

std::string spark_lines_sql(const std::string& lake, const std::string& topic, const std::vector<TopicObject>& objects,
                            const LineChoice& choice) {
  const std::string all = all_lines(lake, topic, objects);
  constexpr const char* kColumns = "part, first, file";
  const std::string whole = fmt::format("SELECT value, {}, CAST(NULL AS BIGINT) AS n, bytes FROM ({})", kColumns, all);
  if (choice.numbered.empty() && !choice.only_numbered) return whole;
  const std::string chosen = among(objects, choice.numbered);
  const std::string value =
      choice.marked.empty()
          ? "value"
          : fmt::format("CASE WHEN n = 0 AND {} THEN CAST(X'EFBBBF' AS STRING) || value ELSE value END AS value",
                        among(objects, choice.marked));
  const std::string numbered = fmt::format(
      "SELECT {0}, {1}, n, bytes FROM (SELECT *, CAST(row_number() OVER (PARTITION BY part, first ORDER BY block, id) "
      "- "
      "1 AS BIGINT) AS n FROM ({2}) WHERE {3}) WHERE {4}",
      value, kColumns, all, chosen, in_range(objects, choice.numbered));
  if (choice.only_numbered) return numbered;
  return fmt::format("{} WHERE NOT {} UNION ALL {}", whole, chosen, numbered);
}

std::string spark_line_counts_sql(const std::string& lake, const std::string& topic,
                                  const std::vector<TopicObject>& objects, const std::set<size_t>& which) {
  return fmt::format("SELECT part, first, count(*), sum(bytes) FROM ({}) WHERE {} GROUP BY part, first",
                     all_lines(lake, topic, objects), among(objects, which));
}

}  // namespace pinflow::lake
