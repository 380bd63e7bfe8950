#include "gate/json_gate.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>
#include <set>
#include <string>

#include "base/utf8.h"

namespace pinflow::gate {
namespace {

// "ok:" and the compact text, or the reason.
std::string judged(std::string_view record) {
  JsonGate gate;
  std::string out = "before";
  auto accepted = gate.accept(record, out);
  EXPECT_EQ(out.substr(0, 6), "before");
  if (accepted) return "ok:" + out.substr(6);
  EXPECT_EQ(out, "before");
  return std::string(text_of(accepted.error()));
}

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string nested(size_t depth) { return repeated("[", depth) + repeated("]", depth); }

TEST(JsonGate, WritesTheRecordCompactAndElseByteForByte) {
  EXPECT_EQ(judged(R"({"a":1})"), R"(ok:{"a":1})");
  EXPECT_EQ(judged(" { \"a\" :\t[ 1 ,\r\n 2 ] , \"b\":{ } , \"c\":[ ] }\n"), R"(ok:{"a":[1,2],"b":{},"c":[]})");
  EXPECT_EQ(judged(R"({"a b":" c  d ","e":"\u0020\/\n\" "})"), R"(ok:{"a b":" c  d ","e":"\u0020\/\n\" "})");
  EXPECT_EQ(judged("[true, false, null]"), "ok:[true,false,null]");
  EXPECT_EQ(judged(R"({"z":1,"a":2})"), R"(ok:{"z":1,"a":2})");
}

TEST(JsonGate, TakesAnyJsonValue) {
  for (const char* value :
       {"1", "null", "true", "false", "\"\"", "[]", "{}", "-0", "0", "1e400", "-1.5E-7", "0.0", "0e0"})
    EXPECT_EQ(judged(value), std::string("ok:") + value);
  EXPECT_EQ(judged("  12  "), "ok:12");
}

TEST(JsonGate, KeepsTheTextOfNumbers) {
  const std::string big = repeated("1234567890", 1000);
  for (const std::string& number : {std::string("1.10"), std::string("1E+05"), big, "-" + big + "." + big + "e" + big,
                                    std::string("18446744073709551616"), std::string("0.1e-9999")})
    EXPECT_EQ(judged("[ " + number + " ]"), "ok:[" + number + "]");
}

TEST(JsonGate, RefusesWhatIsNoNumber) {
  for (const char* number :
       {"01",        "+1", "-",  "1.",   ".5",  "1e",     "1e+", "-01",   "0x1", "1_0", "NaN", "Infinity",
        "-Infinity", "1a", "00", "1.e5", "--1", "1\"a\"", "1{}", "true1", "tru", "nul", "True"}) {
    EXPECT_EQ(judged(number), "not JSON") << number;
    EXPECT_EQ(judged("[" + std::string(number) + "]"), "not JSON") << number;
  }
}

TEST(JsonGate, RefusesEmptyRecords) {
  EXPECT_EQ(judged(""), "empty");
  EXPECT_EQ(judged(" \t\r\n"), "empty");
}

TEST(JsonGate, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(judged("{\"a\":\"\xff\"}"), "not UTF-8");
  EXPECT_EQ(judged("{\"a\":\"\xc3\"}"), "not UTF-8");
  EXPECT_EQ(judged("\"\xc0\x80\""), "not UTF-8");          // overlong NUL
  EXPECT_EQ(judged("\"\xed\xa0\x80\""), "not UTF-8");      // a raw surrogate
  EXPECT_EQ(judged("\"\xf4\x90\x80\x80\""), "not UTF-8");  // above U+10FFFF
  EXPECT_EQ(judged("\"\xe2\x80\xa8 \xf0\x9f\x98\x80 \xc2\xa0\""), "ok:\"\xe2\x80\xa8 \xf0\x9f\x98\x80 \xc2\xa0\"");
}

TEST(JsonGate, RefusesWhatIsNotJson) {
  for (const char* text : {"{",           "}",       "[",          "]",          "[1,]",
                           "[,1]",        "{\"a\"}", "{\"a\":}",   "{\"a\":1,}", "{,}",
                           "{a:1}",       "{'a':1}", "[1 2]",      "{\"a\" 1}",  "{\"a\":1 \"b\":2}",
                           "\"",          "\"a",     "\"\\",       "\"\\x\"",    "\"\\u12\"",
                           "\"\\u12g4\"", "[1}",     "{\"a\":1]",  "//x",        "[1]//",
                           "[1]x",        "{1:2}",   "\\u0022a\"", "{\"a\"::1}", "[[]",
                           "hello"})
    EXPECT_EQ(judged(text), "not JSON") << text;
}

TEST(JsonGate, RefusesControlCharactersAndMarks) {
  for (char byte = 0; byte < 0x20; ++byte)
    EXPECT_EQ(judged(std::string("\"a") + byte + "b\""), "not JSON") << int{byte};
  EXPECT_EQ(judged("\"\x7f\""), "ok:\"\x7f\"");
  EXPECT_EQ(judged(std::string_view("{}\0", 3)), "not JSON");
  EXPECT_EQ(judged(std::string_view("\0", 1)), "not JSON");
  EXPECT_EQ(judged("\xef\xbb\xbf{}"), "not JSON");
  EXPECT_EQ(judged("{}\f"), "not JSON");
  EXPECT_EQ(judged("\"\\u0000\""), "ok:\"\\u0000\"");
}

TEST(JsonGate, RefusesSeveralValues) {
  EXPECT_EQ(judged("{}{}"), "more than one JSON value");
  EXPECT_EQ(judged("{\"a\":1}\n{\"a\":2}\n"), "more than one JSON value");
  EXPECT_EQ(judged("1 2"), "more than one JSON value");
  EXPECT_EQ(judged("{},{}"), "not JSON");
}

TEST(JsonGate, RefusesDeepNesting) {
  EXPECT_EQ(judged(nested(100)), "ok:" + nested(100));
  EXPECT_EQ(judged(nested(101)), "nested deeper than 100");
  EXPECT_EQ(judged(nested(10'000)), "nested deeper than 100");
  EXPECT_EQ(judged(repeated("{\"a\":", 100) + "1" + repeated("}", 100)).substr(0, 3), "ok:");
  EXPECT_EQ(judged(repeated("{\"a\":", 101) + "1" + repeated("}", 101)), "nested deeper than 100");
  EXPECT_EQ(judged("[" + repeated("[],", 10'000) + "[]]").substr(0, 3), "ok:");
}

TEST(JsonGate, RefusesLoneSurrogates) {
  EXPECT_EQ(judged(R"("\ud83d\ude00")"), R"(ok:"\ud83d\ude00")");
  EXPECT_EQ(judged(R"("\uD83D\uDE00")"), R"(ok:"\uD83D\uDE00")");
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\ud800")",
                           R"("\udc00\ud800")", R"({"\ud800":1})", R"(["\ud83d\ude00\ude00"])", R"("\ud800A")"})
    EXPECT_EQ(judged(text), "lone surrogate") << text;
}

TEST(JsonGate, RefusesDuplicateKeys) {
  for (const char* text : {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"([{"x":{"b":1,"c":2,"b":3}}])",
                           R"({"":1,"":2})", R"({"\ud83d\ude00":1,"😀":2})", R"({"a\/b":1,"a/b":2})",
                           R"({"a":{"a":1},"a":2})", R"({"\n":1,"\u000a":2})", R"({"é":1,"\u00e9":2})"})
    EXPECT_EQ(judged(text), "duplicate key") << text;
  for (const char* text : {R"({"a":1,"A":2})", R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":2}])", R"({"a":1,"a ":2})",
                           "{\"\xc3\xa9\":1,\"e\xcc\x81\":2}", R"({"b":{"a":1},"a":2})", R"({"\\u0061":1,"a":2})"})
    EXPECT_EQ(judged(text).substr(0, 3), "ok:") << text;
}

TEST(JsonGate, FindsADuplicateAmongMany) {
  for (const int count : {2, 31, 32, 33, 34, 1000, 20'000}) {
    std::string all = "{";
    for (int i = 0; i < count; ++i)
      all += "\"a long enough name " + std::to_string(i) + "\":" + std::to_string(i) + ",";
    EXPECT_EQ(judged(all + "\"x\":1}").substr(0, 3), "ok:") << count;
    EXPECT_EQ(judged(all + "\"a long enough name 1\":1}"), "duplicate key") << count;
    EXPECT_EQ(judged(all + "\"\\u0061 long enough name 0\":1}"), "duplicate key") << count;
  }
}

TEST(JsonGate, BoundsTheLength) {
  const std::string title(1'000'000, 'x');
  EXPECT_EQ(judged("{\"title\":\"" + title + "\"}"), "ok:{\"title\":\"" + title + "\"}");
  EXPECT_EQ(judged("\"" + std::string(kMaxRecordBytes - 2, 'x') + "\"").substr(0, 3), "ok:");
  EXPECT_EQ(judged("\"" + std::string(kMaxRecordBytes - 1, 'x') + "\""), "longer than 16 MiB");
}

TEST(JsonGate, IsReadyForTheNextRecordAfterARefusal) {
  JsonGate gate;
  std::string out;
  EXPECT_FALSE(gate.accept(R"([{"a":1,"b":[{"c":)", out));
  EXPECT_TRUE(gate.accept(R"({"a":1,"c":2})", out));
  EXPECT_FALSE(gate.accept(R"({"a":1,"c":2,"a":3})", out));
  EXPECT_TRUE(gate.accept(" 7 ", out));
  EXPECT_EQ(out, R"({"a":1,"c":2}7)");
}

// The same judgement, made slowly and by another way: recursive, with sets. Throws the reason.
class SlowCheck {
 public:
  explicit SlowCheck(std::string_view text) : rest_(text) {}

  std::string run() {
    try {
      if (rest_.find_first_not_of(" \t\r\n") == std::string_view::npos) return "empty";
      if (!is_utf8(rest_)) return "not UTF-8";
      int values = 0;
      for (blanks(); !rest_.empty(); blanks(), ++values) value(0);
      return values == 1 ? "ok:" + compact_ : "more than one JSON value";
    } catch (const char* reason) {
      return reason;
    }
  }

 private:
  static constexpr const char* kBad = "not JSON";

  void blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").contains(rest_[0])) rest_.remove_prefix(1);
  }
  char peek() { return rest_.empty() ? throw kBad : rest_[0]; }
  char next() {
    const char byte = peek();
    rest_.remove_prefix(1);
    compact_ += byte;
    return byte;
  }
  void expect(char byte) {
    if (next() != byte) throw kBad;
  }
  int hex() {
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
      const std::string_view digits = "0123456789abcdef";
      const size_t digit = digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(next()))));
      if (digit == std::string_view::npos) throw kBad;
      unit = unit * 16 + static_cast<int>(digit);
    }
    return unit;
  }
  std::u32string string() {
    expect('"');
    std::u32string text;
    for (;;) {
      const char byte = next();
      if (byte == '"') return text;
      if (static_cast<unsigned char>(byte) < 0x20) throw kBad;
      if (byte != '\\') {
        std::string character(1, byte);
        while (!rest_.empty() && (static_cast<unsigned char>(rest_[0]) & 0xC0) == 0x80) character += next();
        char32_t point = static_cast<unsigned char>(character[0]);
        if (character.size() > 1) {
          point &= 0x7Fu >> character.size();
          for (size_t i = 1; i < character.size(); ++i)
            point = point << 6 | (static_cast<unsigned char>(character[i]) & 0x3Fu);
        }
        text += point;
        continue;
      }
      const char kind = next();
      const std::string_view kinds = "\"\\/bfnrt";
      if (const size_t which = kinds.find(kind); which != std::string_view::npos) {
        text += static_cast<char32_t>("\"\\/\b\f\n\r\t"[which]);
        continue;
      }
      if (kind != 'u') throw kBad;
      const int unit = hex();
      if (unit < 0xD800 || unit > 0xDFFF) {
        text += static_cast<char32_t>(unit);
        continue;
      }
      if (unit >= 0xDC00 || !rest_.starts_with("\\u")) throw "lone surrogate";
      next();
      next();
      const int low = hex();
      if (low < 0xDC00 || low > 0xDFFF) throw "lone surrogate";
      text += static_cast<char32_t>(0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00));
    }
  }
  void digits() {
    if (!std::isdigit(static_cast<unsigned char>(peek()))) throw kBad;
    while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_[0]))) next();
  }
  void scalar() {
    if (rest_.starts_with("true") || rest_.starts_with("null")) {
      for (int i = 0; i < 4; ++i) next();
    } else if (rest_.starts_with("false")) {
      for (int i = 0; i < 5; ++i) next();
    } else {
      if (peek() == '-') next();
      if (peek() == '0') next();
      else digits();
      if (rest_.starts_with('.')) next(), digits();
      if (rest_.starts_with('e') || rest_.starts_with('E')) {
        next();
        if (peek() == '+' || peek() == '-') next();
        digits();
      }
    }
    if (!rest_.empty() && !std::string_view(" \t\r\n,]}").contains(rest_[0])) throw kBad;
  }
  void value(int depth) {
    blanks();
    switch (peek()) {
      case '"': string(); return;
      case '[':
      case '{': break;
      default: scalar(); return;
    }
    if (depth == 100) throw "nested deeper than 100";
    const bool object = next() == '{';
    const char close = object ? '}' : ']';
    std::set<std::u32string> names;
    bool twice = false;
    blanks();
    if (peek() == close) {
      next();
      return;
    }
    for (;;) {
      blanks();
      if (object) {
        twice |= !names.insert(string()).second;
        blanks();
        expect(':');
      }
      value(depth + 1);
      blanks();
      const char byte = next();
      if (byte == close) break;
      if (byte != ',') throw kBad;
    }
    if (twice) throw "duplicate key";
  }

  std::string_view rest_;
  std::string compact_;
};

// What simdjson says of a record must fit what the gate says of it.
void compare_with_simdjson(const std::string& record, const std::string& verdict) {
  static simdjson::dom::parser parser;
  const auto error = parser.parse(record).error();
  if (error == simdjson::SUCCESS) {
    ASSERT_TRUE(verdict.starts_with("ok:") || verdict == "duplicate key" || verdict == "nested deeper than 100")
        << verdict << ": " << record;
  } else if (verdict.starts_with("ok:")) {
    ASSERT_EQ(error, simdjson::NUMBER_ERROR) << verdict << ": " << record;
  }
  if (verdict.starts_with("ok:")) {
    std::string minified(record.size() + 64, 0);
    size_t size = 0;
    ASSERT_EQ(simdjson::minify(record.data(), record.size(), minified.data(), size), simdjson::SUCCESS);
    ASSERT_EQ(verdict.substr(3), minified.substr(0, size));
  }
}

TEST(JsonGate, AgreesWithASlowCheckOnMutatedRecords) {
  const std::vector<std::string> seeds = {
      R"({"index":7528,"unique_id":"fbe53c66-3442","title":"A \"title\" – 𝔱𝔢𝔵𝔱","tags":["a","b"],"n":-1.5e3})",
      R"({"a":{"b":{"c":[1,2,{"d":null}],"a":true},"\u0061b":false},"x\ud83d\ude00":"\ud83d\ude00"})",
      R"([0,-0,1e400,12345678901234567890,"",{},[]])",
      " {\n \"ind\" : 1 ,\t\"lat\": -89.97870 , \"a\\/b\":\"\\\\\" }\r\n",
      R"({"aaaaaaaaaa":1,"aaaaaaaaab":2,"aaaaaaaaaab":3,"":4})",
      nested(100),
      "{\"a\":1}\n{\"b\":2}"};
  const std::string_view alphabet = "{}[]\",:\\u0aAdDcC81eE+-. \n\t/\x80\xc3\xa9\xed\xf0\x01ntf";
  std::mt19937_64 random(20'201'020);
  int accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string record = seeds[random() % seeds.size()];
    for (size_t changes = random() % 4; changes > 0; --changes) {
      const size_t at = random() % (record.size() + 1);
      const size_t length = std::min<size_t>(random() % 8, record.size() - at);
      switch (random() % 5) {
        case 0: record.insert(at, 1, alphabet[random() % alphabet.size()]); break;
        case 1: record.erase(at, length); break;
        case 2: record.insert(at, record.substr(random() % (record.size() + 1), random() % 12)); break;
        case 3:
          if (at < record.size()) record[at] = alphabet[random() % alphabet.size()];
          break;
        case 4: record.insert(at, seeds[random() % 2].substr(0, length)); break;
      }
    }
    const std::string verdict = judged(record);
    ASSERT_EQ(verdict, SlowCheck(record).run()) << "round " << round << ": " << record;
    ASSERT_NO_FATAL_FAILURE(compare_with_simdjson(record, verdict));
    if (verdict.starts_with("ok:")) ++accepted;
  }
  EXPECT_GT(accepted, 10'000);
  EXPECT_LT(accepted, 50'000);
}

}  // namespace
}  // namespace pinflow::gate
