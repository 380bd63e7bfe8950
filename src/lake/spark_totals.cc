#include "lake/spark_totals.h"

#include <fmt/format.h>

#include <algorithm>

#include "lake/record_source.h"

namespace pinflow::lake {
namespace {

constexpr int64_t kMarkBytes = 3;  // of a byte order mark

// The last line may have no newline.
bool is_size(int64_t bytes, int64_t size) { return bytes == size || (bytes == size + 1 && bytes > 0); }

SparkCount count_of(const SparkCounts& counts, const TopicObject& object) {
  const auto at = counts.find({object.partition, object.first_offset});
  return at == counts.end() ? SparkCount() : at->second;
}

}  // namespace

Result<SparkTotals> read_spark_totals(spark::Session& session, const std::string& view,
                                      const std::vector<std::string>& counts) {
  const auto sum = [](const std::string& what, bool good_only) {
    return fmt::format(", CAST(COALESCE(sum({}){}, 0) AS BIGINT)", what,
                       good_only ? " FILTER (WHERE reason IS NULL)" : "");
  };
  std::string sums;
  for (const std::string& count : counts) sums += sum(spark::quote_name("count_" + count), true);
  for (const char* what : {"origin.missing", "origin.unknown"}) {
    sums += sum(fmt::format("least({}, {})", what, kMostNoted), true);
    sums += sum(fmt::format("greatest({} - {}, 0)", what, kMostNoted), false);
  }
  const auto table = session.query(
      fmt::format("SELECT origin.part, origin.first, count(*), CAST(sum(origin.bytes) AS BIGINT), count(reason){} FROM "
                  "{} GROUP BY origin.part, origin.first",
                  sums, view));
  if (!table) return pass(table.error());
  SparkTotals totals;
  totals.noted.resize(counts.size());
  for (const auto& row : table->rows) {
    SparkCount& object = totals.objects[{static_cast<int32_t>(row[0].integer()), row[1].integer()}];
    object = {row[2].integer(), row[3].integer(), row[4].integer()};
    totals.raw += object.rows;
    totals.dead += object.dead;
    for (size_t i = 0; i < counts.size(); ++i) totals.noted[i] += row[5 + i].integer();
    totals.missing += row[5 + counts.size()].integer() + row[6 + counts.size()].integer();
    totals.unknown += row[7 + counts.size()].integer() + row[8 + counts.size()].integer();
  }
  return totals;
}

Result<SparkCounts> read_spark_counts(spark::Session& session, const std::string& sql) {
  const auto table = session.query(sql);
  if (!table) return pass(table.error());
  SparkCounts counts;
  for (const auto& row : table->rows)
    counts[{static_cast<int32_t>(row[0].integer()), row[1].integer()}] = {row[2].integer(), row[3].integer(), 0};
  return counts;
}

Result<Judged> judge_totals(const std::vector<TopicObject>& objects, const SparkTotals& totals,
                            const SparkCounts& whole, const LineChoice& choice) {
  Judged judged;
  judged.choice = choice;
  std::set<std::pair<int32_t, int64_t>> known;
  for (size_t i = 0; i < objects.size(); ++i) {
    const TopicObject& object = objects[i];
    known.insert({object.partition, object.first_offset});
    const SparkCount rows = count_of(totals.objects, object);
    const bool numbered = choice.numbered.contains(i);
    const SparkCount lines = numbered ? count_of(whole, object) : rows;
    const int64_t end = object.first_offset + lines.rows;
    judged.ends.push_back(std::min(end, object.to));
    const bool lacks_mark = lines.bytes > 0 && is_size(lines.bytes + kMarkBytes, object.size);
    if (lacks_mark && !choice.marked.contains(i)) {
      judged.choice.numbered.insert(i);
      judged.choice.marked.insert(i);
      judged.again = true;
    } else if (!lacks_mark && !is_size(lines.bytes, object.size)) {
      judged.suspects.insert(i);
    } else if (!numbered && end > object.to) {
      judged.choice.numbered.insert(i);
      judged.again = true;
    } else if (numbered &&
               rows.rows != std::max<int64_t>(0, judged.ends.back() - std::max(object.first_offset, object.from))) {
      judged.suspects.insert(i);
    }
  }
  for (const auto& [at, count] : totals.objects) {
    if (known.contains(at)) continue;
    return fail(Code::conflict,
                "an object that begins at offset {} of partition {} came while the plan was read: run the batch again",
                at.second, at.first);
  }
  if (!judged.suspects.empty()) judged.again = false;
  return judged;
}

}  // namespace pinflow::lake
