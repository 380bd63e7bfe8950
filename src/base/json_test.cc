#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace pinflow {
namespace {

TEST(Json, EscapesWhatTheRfcAsks) {
  EXPECT_EQ(json_string("a\"b\\c\n\r\t\x01\x1f/é"), R"("a\"b\\c\n\r\t\u0001\u001f/é")");
  EXPECT_EQ(json_string(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(Json, BytesThatAreNoUtf8BecomeTheReplacementCharacter) {
  EXPECT_EQ(json_string("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(json_string("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(Json, WriterPutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object();
  json.key("a").number(int64_t{1}).key("b").begin_array().string("x").null().boolean(true).end_array();
  json.key("c").begin_object().end_object().key("d").number(0.1).key("e").raw("[2]");
  json.end_object();
  EXPECT_EQ(json.text(), R"({"a":1,"b":["x",null,true],"c":{},"d":0.1,"e":[2]})");
}

TEST(Json, NumbersReadBackTheSame) {
  JsonWriter json;
  json.begin_array().number(-88.8298).number(1e300).number(std::numeric_limits<double>::quiet_NaN());
  json.number(std::numeric_limits<int64_t>::min()).end_array();
  EXPECT_EQ(json.text(), "[-88.8298,1e+300,null,-9223372036854775808]");
}

}  // namespace
}  // namespace pinflow
