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

TEST(Schema, MayOnlyGrowAtItsEnd) {
  const std::vector<Column> table = {{"a", "long"}, {"b", "array<double>"}};
  const auto says = [&](std::vector<Column> wanted, std::string_view words) {
    const std::string difference = schema_difference(table, wanted);
    EXPECT_NE(difference.find(words), std::string::npos) << difference;
    EXPECT_EQ(words.empty(), difference.empty()) << difference;
  };
  says({{"a", "long", false}, {"b", "array<double>"}}, "");
  says({{"a", "long"}, {"b", "array<double>"}, {"c", "date"}, {"d", "string"}}, "");
  says({{"a", "integer"}, {"b", "array<double>"}},
       "has 'a' as long, not as integer: a column's type cannot be changed");
  says({{"b", "array<double>"}, {"a", "long"}}, "has 'a' in the place where the pipeline declares 'b': the order");
  says({{"a", "long"}}, "has a column 'b' (array<double>) that the pipeline does not declare");
  says({{"a", "long"}, {"c", "date"}}, "has the column 'b' (array<double>) where the pipeline declares 'c'");
  says({{"a", "long"}, {"c", "date"}, {"b", "array<double>"}}, "has no column 'c', which the pipeline declares before");
  says({{"a", "long"}, {"b", "array<double>"}, {"A", "long"}}, "has 'A' already");
  says({{"a", "long"}, {"b", "array<double>"}, {"c", "date", false}}, "must be nullable");
}

TEST(Schema, WidensWhatIsWrittenWithoutChangingIt) {
  const std::string json =
      R"({"fields":[{"name":"m","type":{"type":"map","keyType":"string","valueType":"long","valueContainsNull":false},)"
      R"("nullable":false,"metadata":{"comment":"c"}}],"type":"struct"})";
  const auto widened = widen_schema(json, {{"m", "map<string,long>"}, {"c", "array<string>"}});
  ASSERT_TRUE(widened) << widened.error().message;
  EXPECT_NE(widened->find(R"({"name":"m","type":{"type":"map","keyType":"string","valueType":"long",)"
                          R"("valueContainsNull":false},"nullable":false,"metadata":{"comment":"c"}})"),
            std::string::npos)
      << *widened;
  const auto columns = schema_from_json(*widened);
  ASSERT_TRUE(columns);
  ASSERT_EQ(columns->size(), 2u);
  EXPECT_EQ(columns->at(1), (Column{"c", "array<string>"}));
  EXPECT_EQ(widen_schema(json, {{"m", "map<string,long>"}, {"c", "map<string,long>"}}).error().code, Code::invalid);
}

}  // namespace
}  // namespace pinflow::delta
