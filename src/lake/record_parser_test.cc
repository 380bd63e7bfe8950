#include "lake/record_parser.h"

#include <gtest/gtest.h>

#include <random>

namespace pinflow::lake {
namespace {

using namespace std::string_literals;

// The fields a, b, c of a line: "a=1 b=NULL c=x", or "no record".
std::string read(std::string_view line) {
  RecordParser parser({"a", "b", "c"});
  if (!parser.parse(line)) {
    EXPECT_TRUE(parser.null(0) && parser.null(1) && parser.null(2));
    return "no record";
  }
  std::string out;
  for (size_t i = 0; i < 3; ++i) {
    out += "abc"[i];
    out += "=" + (parser.null(i) ? "NULL"s : std::string(parser.text(i))) + (i < 2 ? " " : "");
  }
  return out;
}

TEST(RecordParser, EachFieldIsText) {
  EXPECT_EQ(read(R"({"a":1,"b":"two","c":true})"), "a=1 b=two c=true");
  EXPECT_EQ(read(R"({"c":-1.50e+3,"a":null,"b":""})"), "a=NULL b= c=-1.50e+3");
  EXPECT_EQ(read(R"({})"), "a=NULL b=NULL c=NULL");
  EXPECT_EQ(read(" \t{ \"a\" : 1 , \"b\" : 2 }\r"), "a=1 b=2 c=NULL");
}

TEST(RecordParser, EscapesAreResolvedNulToo) {
  EXPECT_EQ(read(R"({"a":"\"\\\/\b\f\n\r\t","b":"\u00e9\ud83d\ude00","c":"x\u0000y"})"),
            "a=\"\\/\b\f\n\r\t b=é😀 c=x\0y"s);
  EXPECT_EQ(read(R"({"\u0061":"by another spelling"})"), "a=by another spelling b=NULL c=NULL");
}

TEST(RecordParser, NestedValuesAreTheirCompactText) {
  EXPECT_EQ(read(R"({"a":{"x": [1, 2 ,{"y":"}\""}] },"b":[ ],"c":"\n"})"),
            "a={\"x\":[1,2,{\"y\":\"}\\\"\"}]} b=[] c=\n");
}

TEST(RecordParser, NamesAreComparedExactly) { EXPECT_EQ(read(R"({"A":1,"b ":2,"":3})"), "a=NULL b=NULL c=NULL"); }

TEST(RecordParser, CountsWhatIsMissingAndWhatIsUnknown) {
  RecordParser parser({"a", "b", "c"});
  ASSERT_TRUE(parser.parse(R"({"a":null,"x":1,"y":{"a":2}})"));
  EXPECT_EQ(parser.missing(), 2);
  EXPECT_EQ(parser.unknown(), 2);
  ASSERT_TRUE(parser.parse(R"({"c":1,"b":2,"a":3})"));
  EXPECT_EQ(parser.missing(), 0);
  EXPECT_EQ(parser.unknown(), 0);
}

TEST(RecordParser, AListOfOneObjectIsThatObject) {
  EXPECT_EQ(read(R"([{"a":1}])"), "a=1 b=NULL c=NULL");
  EXPECT_EQ(read(R"( [ {"a":[1 ]} ] )"), "a=[1] b=NULL c=NULL");
  EXPECT_EQ(read(R"([{"a":1},{"a":2}])"), "no record");
  EXPECT_EQ(read(R"([[{"a":1}]])"), "no record");
  EXPECT_EQ(read(R"([])"), "no record");
}

TEST(RecordParser, WhatTheGateRefusesIsNoRecord) {
  const std::string deep(10'000, '[');
  for (const std::string& line : {""s,
                                  " "s,
                                  "null"s,
                                  "1"s,
                                  "\"text\""s,
                                  "true"s,
                                  "nonsense"s,
                                  "{"s,
                                  "{\"a\"}"s,
                                  "{\"a\":}"s,
                                  "{\"a\":1,}"s,
                                  "{\"a\":1}{\"a\":1}"s,
                                  "{\"a\":01}"s,
                                  "{\"a\":1.}"s,
                                  "{\"a\":tru}"s,
                                  "{\"a\":\"\xff\"}"s,
                                  "{\"a\":\"\x01\"}"s,
                                  "{\"a\":\"\\x\"}"s,
                                  "{\"a\":\"\\ud800\"}"s,
                                  "{\"a\":\"\xed\xa0\x80\"}"s,
                                  "{\"a\":1,\"a\":1}"s,
                                  "{\"x\":1,\"y\":2,\"x\":3}"s,
                                  "{\"a\":{\"x\":1,\"x\":2}}"s,
                                  "{\"x\":tru}"s,
                                  "{\"x\":[1,}"s,
                                  "{\"a\":1"s,
                                  "{\"a\":\"unended"s,
                                  "{a:1}"s,
                                  "\xef\xbb\xbf{\"a\":1}"s,
                                  "{\"a\":" + deep + "}",
                                  "{\"a\":\"x\0y\"}"s}) {
    EXPECT_EQ(read(line), "no record") << line.substr(0, 60);
  }
}

TEST(RecordParser, ALongTextIsOneValue) {
  const std::string text(1'000'000, 'x');
  EXPECT_EQ(read("{\"a\":\"" + text + "\"}"), "a=" + text + " b=NULL c=NULL");
  EXPECT_EQ(read("{\"a\":\"" + std::string(gate::kMaxRecordBytes, 'x') + "\"}"), "no record");
}

// Of what the gate lets through exactly the objects, and lists of one object, are records; of what it refuses none.
TEST(RecordParser, AgreesWithTheGateOnMangledLines) {
  const std::vector<std::string> lines = {R"({"a":1,"b":"two \u00e9\n","c":[1,{"x":null}],"d":-0.5e+7})",
                                          R"([{"a":"\ud83d\ude00","b":true,"x":{"y":[]}}])",
                                          R"({"a":"日本","x":1,"y":"q","c":false})", R"([{"b":1},{"b":2}])"};
  const std::string_view bytes = "{}[]\",:\\ 01-.eEu\xff\xe6\nabcxtrn";
  std::mt19937 random(20260820);
  gate::JsonGate gate;
  RecordParser parser({"a", "b", "c"});
  int records = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string line = lines[random() % lines.size()];
    for (size_t changes = random() % 4; changes > 0; --changes) {
      const size_t at = random() % line.size();
      if (random() % 3 == 0) line.erase(at, 1 + random() % 3);
      else if (random() % 2 == 0) line.insert(at, 1, bytes[random() % bytes.size()]);
      else line[at] = bytes[random() % bytes.size()];
      if (line.empty()) line = "1";
    }
    std::string compact;
    bool expected = gate.accept(line, compact).has_value();
    if (expected && compact.starts_with("[{")) {
      // One object, if its closing bracket is the last but one byte, and no other begins at this depth.
      int depth = 0;
      int objects = 0;
      bool quoted = false;
      for (size_t at = 0; at < compact.size(); ++at) {
        if (quoted && compact[at] == '\\') ++at;
        else if (compact[at] == '"') quoted = !quoted;
        else if (!quoted && (compact[at] == '{' || compact[at] == '[')) objects += ++depth == 2;
        else if (!quoted && (compact[at] == '}' || compact[at] == ']')) --depth;
        else if (!quoted && depth == 1 && compact[at] == ',') objects += 2;
      }
      expected = objects == 1;
    } else {
      expected = expected && compact.starts_with("{");
    }
    ASSERT_EQ(parser.parse(line), expected) << line;
    records += expected;
  }
  EXPECT_GT(records, 10'000);
}

TEST(RecordParser, ABadLineLeavesNothingBehind) {
  RecordParser parser({"a", "b"});
  EXPECT_FALSE(parser.parse(R"({"a":1,"b":"\n" oops)"));
  EXPECT_TRUE(parser.null(0));
  EXPECT_EQ(parser.missing(), 0);
  ASSERT_TRUE(parser.parse(R"({"b":"\u0041\n"})"));
  EXPECT_TRUE(parser.null(0));
  EXPECT_EQ(parser.text(1), "A\n");
}

}  // namespace
}  // namespace pinflow::lake
