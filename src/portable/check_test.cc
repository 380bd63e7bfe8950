#include "portable/check.h"

#include <gtest/gtest.h>

#include <random>

namespace pinflow::portable {
namespace {

// What is found in a query over a table with a number, a name and a height; or in a cleaning of text fields.
pipeline::Pipeline with(const std::string& query, const std::string& cleaning = "SELECT number FROM raw") {
  pipeline::Pipeline pipeline;
  pipeline::RecordType& record = pipeline.records.emplace_back();
  record.name = "thing";
  record.fields = {"number", "name", "height", "taken"};
  record.cleaning = {"clean.sql", cleaning};
  record.columns = {{"number", pipeline::Type::long_},
                    {"name", pipeline::Type::string},
                    {"height", pipeline::Type::double_},
                    {"taken", pipeline::Type::timestamp}};
  pipeline.queries.push_back({"query", "", {"query.sql", query}});
  return pipeline;
}

std::string rules(const pipeline::Pipeline& pipeline) {
  std::string all;
  for (const Finding& finding : check(pipeline))
    all += (all.empty() ? "" : " ") + finding.rule + "@" + std::to_string(finding.line) + ":" +
           std::to_string(finding.column);
  return all;
}

std::string in_query(const std::string& sql) { return rules(with(sql)); }
std::string in_cleaning(const std::string& sql) { return rules(with("SELECT 1 AS n", sql)); }

TEST(Check, SaysFileLineColumnAndWhatToWrite) {
  const auto found = check(with("SELECT number\nFROM thing\nORDER BY number"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(
      found[0].text(),
      "query.sql:3:10: in rising order NULL comes last in DuckDB and first in Spark; write ORDER BY x NULLS LAST");
  const auto refused = require_portable(with("SELECT \"name\" FROM thing"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_TRUE(refused.error().message.starts_with("query.sql:1:8: ")) << refused.error().message;
  EXPECT_TRUE(require_portable(with("SELECT name FROM thing")));
}

TEST(Check, TextsAndCommentsHoldNoConstructs) {
  EXPECT_EQ(in_query("SELECT 'DIV // [0] \"x\" `y` ORDER BY a' AS x -- a // b \"c\"\nFROM thing /* x[0] concat(a) */"),
            "");
}

TEST(Check, AGuardIsFollowedThroughNames) {
  const std::string guard = "regexp_extract(number, '^-?[0-9]{1,18}$', 0) = NULLIF(number, '')";
  EXPECT_EQ(in_cleaning("WITH k AS (SELECT *, " + guard +
                        " AS ok FROM raw) SELECT CASE WHEN ok THEN CAST(number AS BIGINT) END AS number FROM k"),
            "");
  EXPECT_EQ(in_cleaning("SELECT CASE WHEN name = 'a' AND (" + guard + ") THEN number::BIGINT END AS number FROM raw"),
            "");
  EXPECT_EQ(in_cleaning("SELECT CASE WHEN " + guard + " THEN 1 ELSE CAST(number AS BIGINT) END AS number FROM raw"),
            "text-cast@1:96");
  EXPECT_EQ(
      in_cleaning("SELECT CASE WHEN name = 'a' OR " + guard + " THEN CAST(number AS BIGINT) END AS number FROM raw"),
      "text-cast@1:103");
  EXPECT_EQ(in_cleaning("SELECT CASE WHEN " + guard + " THEN CAST(height AS BIGINT) END AS number FROM raw"),
            "text-cast@1:89");
}

TEST(Check, AFunctionOfThePreludesIsKnown) {
  pipeline::Pipeline pipeline = with("SELECT twice(number) AS n FROM thing");
  EXPECT_EQ(rules(pipeline), "function@1:8");
  pipeline.preludes["duckdb"] = {"duckdb.sql", "CREATE OR REPLACE MACRO twice(a) AS a * 2;"};
  EXPECT_EQ(rules(pipeline), "prelude@1:25");
  pipeline.preludes["spark"] = {"spark.sql",
                                "CREATE OR REPLACE TEMPORARY FUNCTION twice(a BIGINT) RETURNS BIGINT RETURN a * 2;"};
  EXPECT_EQ(rules(pipeline), "");
  pipeline.preludes["duckdb"].text = "CREATE MACRO twice(a) AS a * 2, (a, b) AS a * b;";
  EXPECT_EQ(rules(pipeline), "prelude@1:33");
}

TEST(Check, TypesAreFollowedToTheResult) {
  EXPECT_EQ(in_query("SELECT name FROM thing WHERE year(taken) = 2020 GROUP BY year(taken), name"), "");
  EXPECT_EQ(in_query("SELECT y FROM (SELECT year(taken) AS y, sum(number) AS s FROM thing) t"), "result-type@1:23");
  EXPECT_EQ(in_query("SELECT CAST(COALESCE(sum(number), 0) AS BIGINT) AS n, year(taken) = 2020 AS is_it FROM thing"),
            "");
}

TEST(Check, AnAnswerIsOneSelectWithNamesAndAnOrder) {
  EXPECT_EQ(in_query("SELECT count(*) FROM thing"), "column-name@1:8");
  EXPECT_EQ(in_query("SELECT Name, name AS b, thing.number FROM thing"), "column-name@1:8");
  EXPECT_EQ(in_query("DELETE FROM thing"), "statement@1:1");
  EXPECT_EQ(in_query("SELECT name FROM thing\nWHERE"), "unfinished@2:1");
  EXPECT_EQ(in_query("SELECT name FROM thing LIMIT 1"), "unordered@1:24");
  EXPECT_EQ(in_query("SELECT max(taken) - min(taken) AS d FROM thing WHERE name <> 5"),
            "interval@1:19 comparison@1:59");
  EXPECT_EQ(in_query("SELECT lower(name) AS a, lower(name) = 'k' AS b, lower(name) = 'i' AS c FROM thing"),
            "function@1:8 function@1:50");
  EXPECT_EQ(in_cleaning("SELECT NULLIF(trim(name), '') AS name, upper(height) AS height FROM raw"),
            "trim@1:15 function@1:40");
}

TEST(Check, OnlyTheNamedQueriesAreJudged) {
  pipeline::Pipeline pipeline = with("SELECT count(*) FROM thing", "SELECT upper(name) AS name FROM raw");
  pipeline.queries.push_back({"other", "", {"other.sql", "SELECT number FROM thing"}});
  EXPECT_EQ(check_queries(pipeline, {"other"}).size(), 0u);
  EXPECT_EQ(check_queries(pipeline, {}).size(), 1u);
  EXPECT_TRUE(require_portable(pipeline, {"other"}));
  EXPECT_FALSE(require_portable(pipeline, {"query"}));
}

TEST(Check, AnyBytesAreTaken) {
  std::mt19937 random(5);
  const std::string whole =
      "WITH k AS (SELECT *, regexp_extract(number, '^[0-9]{1,3}$', 0) = NULLIF(number, '') AS ok FROM raw) SELECT CASE "
      "WHEN ok THEN CAST(number AS INT) "
      "ELSE x[1]::DECIMAL(18, 9) / 2 END AS a, sum(b) OVER (PARTITION BY `c` ORDER BY \"d\" DESC NULLS LAST) FROM k "
      "JOIN t USING (a) QUALIFY 1 = 1 -- e\n";
  for (int round = 0; round < 4000; ++round) {
    std::string text = whole;
    for (int change = 0; change < 6; ++change) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) text.erase(at, random() % 20);
      else text.insert(at, 1, "()[]{}'\"`$:;,.-/*^|&?+\\ \n\x80"[random() % 27]);
      if (text.empty()) text = " ";
    }
    for (const Finding& finding : check(with(text, text))) {
      ASSERT_GE(finding.line, 1);
      ASSERT_FALSE(finding.instead.empty());
    }
  }
  for (size_t cut = 0; cut < whole.size(); ++cut) check(with(whole.substr(0, cut), whole.substr(cut)));
}

}  // namespace
}  // namespace pinflow::portable
