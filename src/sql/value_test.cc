#include "sql/value.h"

#include <gtest/gtest.h>

#include <limits>

namespace pinflow::sql {
namespace {

Table sample() {
  return {{{"country", "VARCHAR"}, {"n", "BIGINT"}, {"at", "TIMESTAMP"}},
          {{Value{std::string("Cote d'Ivoire")}, Value{int64_t{9}}, Value{Timestamp{1598586767000000}}},
           {Value{std::string("a,\"b\"\n")}, Value{int64_t{1200}}, Value{}},
           {Value{std::string()}, Value{}, Value{Timestamp{-1}}}}};
}

TEST(ValueText, TimesAreUtcWithAFractionOnlyWhereThereIsOne) {
  EXPECT_EQ(text_of(Timestamp{1598586767000000}), "2020-08-28 03:52:47");
  EXPECT_EQ(text_of(Timestamp{1598586767250000}), "2020-08-28 03:52:47.25");
  EXPECT_EQ(text_of(Timestamp{-1}), "1969-12-31 23:59:59.999999");
}

TEST(ValueText, DoublesAreShortAndListsReadable) {
  EXPECT_EQ(text_of(Value{-89.9787}), "-89.9787");
  EXPECT_EQ(text_of(Value{List{Value{-89.9787}, Value{}}}), "[-89.9787, NULL]");
  EXPECT_EQ(json_of(Value{std::numeric_limits<double>::quiet_NaN()}), "null");
  EXPECT_EQ(json_of(Value{List{Value{1.5}, Value{}}}), "[1.5,null]");
  EXPECT_EQ(json_of(Value{Members{{"a", Value{true}}}}), R"({"a":true})");
}

TEST(AsText, AlignsAndEscapes) {
  EXPECT_EQ(as_text(sample()),
            "country           n  at\n"
            "Cote d'Ivoire     9  2020-08-28 03:52:47\n"
            "a,\"b\"\\n        1200\n"
            "                     1969-12-31 23:59:59.999999\n");
}

TEST(AsText, CutsWideCellsAtCharacters) {
  const Table table{{{"x", "VARCHAR"}}, {{Value{std::string("ééééé")}}, {Value{std::string("a\x1b[2J")}}}};
  EXPECT_EQ(as_text(table, 3), "x\nééé…\na\\x1b[…\n");
}

TEST(AsJson, KeepsTypes) {
  EXPECT_EQ(as_json(sample()), R"([{"country":"Cote d'Ivoire","n":9,"at":"2020-08-28 03:52:47"},)"
                               R"({"country":"a,\"b\"\n","n":1200,"at":null},)"
                               R"({"country":"","n":null,"at":"1969-12-31 23:59:59.999999"}])");
  EXPECT_EQ(as_json({{{"x", "BIGINT"}}, {}}), "[]");
}

TEST(AsCsv, TellsNullFromEmpty) {
  EXPECT_EQ(as_csv(sample()),
            "country,n,at\r\n"
            "Cote d'Ivoire,9,2020-08-28 03:52:47\r\n"
            "\"a,\"\"b\"\"\n\",1200,\r\n"
            "\"\",,1969-12-31 23:59:59.999999\r\n");
}

}  // namespace
}  // namespace pinflow::sql
