#include "delta/schema.h"

#include <gtest/gtest.h>

namespace pinflow::delta {
namespace {

TEST(Schema, WritesTheTypesOfATable) {
  const auto json = schema_to_json({{"ind", "long"}, {"where", "array<double>"}, {"at", "timestamp", false}});
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(
      *json,
      R"({"type":"struct","fields":[{"name":"ind","type":"long","nullable":true,"metadata":{}},)"
      R"({"name":"where","type":{"type":"array","elementType":"double","containsNull":true},"nullable":true,"metadata":{}},)"
      R"({"name":"at","type":"timestamp","nullable":false,"metadata":{}}]})");
}

TEST(Schema, ReadsBackWhatItWrote) {
  std::vector<Column> columns;
  for (const char* type : {"string", "long", "integer", "short", "byte", "double", "float", "boolean", "binary", "date",
                           "timestamp", "decimal(10,2)", "array<string>", "array<array<double>>"}) {
    columns.push_back({fmt::format("a \"{}\" ä", type), type});
  }
  const auto json = schema_to_json(columns);
  ASSERT_TRUE(json) << json.error().message;
  const auto back = schema_from_json(*json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, columns);
}

TEST(Schema, ReadsNestedTypesOfOthers) {
  const auto columns = schema_from_json(
      R"({"type":"struct","fields":[{"name":"m","type":{"type":"map","keyType":"string","valueType":"long","valueContainsNull":true},
      "nullable":true,"metadata":{"comment":"x"}},{"name":"s","type":{"type":"struct","fields":[{"name":"a","type":"date",
      "nullable":true,"metadata":{}},{"name":"b","type":"integer","nullable":true,"metadata":{}}]},"nullable":true,"metadata":{}}]})");
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ(columns->at(0).type, "map<string,long>");
  EXPECT_EQ(columns->at(0).metadata, R"({"comment":"x"})");
  EXPECT_EQ(columns->at(1).type, "struct<a:date,b:integer>");
}

TEST(Schema, RefusesWhatIsNoType) {
  EXPECT_EQ(schema_to_json({{"x", "int64"}}).error().code, Code::invalid);
  EXPECT_EQ(schema_to_json({{"x", "array<>"}}).error().code, Code::invalid);
  EXPECT_EQ(schema_to_json({{"x", "decimal(10)"}}).error().code, Code::invalid);
  EXPECT_NE(schema_to_json({{"x", "map<string,long>"}}).error().message.find("'x'"), std::string::npos);
  EXPECT_EQ(schema_to_json({{"name", "long"}, {"Name", "long"}}).error().code, Code::invalid);
}

TEST(Schema, RefusesWhatIsNoSchema) {
  for (const char* text :
       {"", "no json", "[]", "{}", R"({"type":"array"})", R"({"type":"struct","fields":[{"name":"x"}]})",
        R"({"type":"struct","fields":[{"type":"long"}]})"}) {
    EXPECT_EQ(schema_from_json(text).error().code, Code::corrupt) << text;
  }
  std::string deep = R"("long")";
  for (int i = 0; i < 200; ++i) deep = R"({"type":"array","elementType":)" + deep + "}";
  EXPECT_EQ(schema_from_json(R"({"type":"struct","fields":[{"name":"x","type":)" + deep + "}]}").error().code,
            Code::corrupt);
}

TEST(Schema, NamesTheFirstDifference) {
  const std::vector<Column> table = {{"a", "long"}, {"b", "array<double>"}};
  EXPECT_EQ(schema_difference(table, {{"b", "array<double>"}, {"a", "long", false}}), "");
  EXPECT_EQ(schema_difference(table, {{"a", "integer"}, {"b", "array<double>"}}), "has 'a' as long, not as integer");
  EXPECT_EQ(schema_difference(table, {{"a", "long"}, {"b", "array<double>"}, {"c", "date"}}), "has no column 'c'");
  EXPECT_EQ(schema_difference(table, {{"a", "long"}}), "has a column 'b' (array<double>) too many");
}

}  // namespace
}  // namespace pinflow::delta
