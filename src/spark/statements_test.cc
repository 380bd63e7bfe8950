#include "spark/statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::spark {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::pair<std::string, int>> split(std::string_view sql) {
  std::vector<std::pair<std::string, int>> out;
  for (const Statement& statement : split_statements(sql)) out.emplace_back(statement.text, statement.first_line);
  return out;
}

TEST(Statements, AreSplitAtSemicolons) {
  EXPECT_THAT(split("SELECT 1"), ElementsAre(Pair("SELECT 1", 1)));
  EXPECT_THAT(split("SELECT 1;\n\n SELECT\n2 ;;\nSELECT 3;"),
              ElementsAre(Pair("SELECT 1", 1), Pair("SELECT\n2", 3), Pair("SELECT 3", 5)));
}

TEST(Statements, OfBlanksAndCommentsAreNone) {
  EXPECT_THAT(split(""), IsEmpty());
  EXPECT_THAT(split(" -- a\n;/* b */;\n"), IsEmpty());
  EXPECT_THAT(split("-- what it is\n/* more\n*/ SELECT 1"), ElementsAre(Pair("SELECT 1", 3)));
}

TEST(Statements, KeepQuotedSemicolons) {
  EXPECT_THAT(
      split("SELECT ';', \";\", `;`, r'\\;', $$;$$ -- ;\n, /* ; /* ; */ ; */ 1; SELECT 2"),
      ElementsAre(Pair("SELECT ';', \";\", `;`, r'\\;', $$;$$ -- ;\n, /* ; /* ; */ ; */ 1", 1), Pair("SELECT 2", 2)));
  EXPECT_THAT(split(R"(SELECT 'it\';s', 'it'';s'; SELECT 2)"),
              ElementsAre(Pair(R"(SELECT 'it\';s', 'it'';s')", 1), Pair("SELECT 2", 1)));
  // In a raw literal a backslash is a backslash; a word that ends in r begins none.
  EXPECT_THAT(split(R"(SELECT r'\'; SELECT bar'\';')"),
              ElementsAre(Pair(R"(SELECT r'\')", 1), Pair(R"(SELECT bar'\';')", 1)));
}

TEST(Statements, AScriptIsOne) {
  EXPECT_THAT(split("SELECT 1;\nBegin\n SELECT 2; SELECT 3;\nEND;"),
              ElementsAre(Pair("SELECT 1", 1), Pair("Begin\n SELECT 2; SELECT 3;\nEND;", 2)));
  EXPECT_THAT(split("BEGINNING; x"), ElementsAre(Pair("BEGINNING", 1), Pair("x", 1)));
}

TEST(Statements, WhatIsLeftOpenStays) {
  EXPECT_THAT(split("SELECT 'a;"), ElementsAre(Pair("SELECT 'a;", 1)));
  EXPECT_THAT(split("SELECT 'a\\"), ElementsAre(Pair("SELECT 'a\\", 1)));
  EXPECT_THAT(split("SELECT 1 /* ;"), ElementsAre(Pair("SELECT 1 /* ;", 1)));
}

TEST(Queries, AreToldFromCommands) {
  for (const char* sql :
       {"select 1", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)", "TABLE t", "FROM t SELECT 1",
        "/* x */ (SELECT 1)", "SELECT 'INSERT', `delete`, replace('a', 'b') FROM t"}) {
    EXPECT_TRUE(is_query(sql)) << sql;
  }
  for (const char* sql :
       {"", "-- SELECT", "INSERT INTO t SELECT 1", "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "FROM t INSERT INTO u SELECT *", "SET a = 1", "BEGIN SELECT 1; END", "EXPLAIN SELECT 1"}) {
    EXPECT_FALSE(is_query(sql)) << sql;
  }
}

TEST(Positions, CountUtf16Units) {
  const std::string_view text = "é😀x\nb\nc";
  EXPECT_EQ(line_of(text, 0), 1);
  EXPECT_EQ(line_of(text, 3), 1);
  EXPECT_EQ(line_of(text, 5), 2);
  EXPECT_EQ(line_of(text, 7), 3);
  EXPECT_EQ(line_of(text, 1000), 3);
  EXPECT_EQ(line_of(text, -1), 1);
  EXPECT_EQ(part_of(text, 3, 3), "x");
  EXPECT_EQ(part_of(text, 0, 2), "é😀");
  EXPECT_EQ(part_of(text, 5, 7), "b\nc");
  EXPECT_EQ(part_of(text, 5, 8), "");
  EXPECT_EQ(part_of(text, -1, 3), "");
}

}  // namespace
}  // namespace pinflow::spark
