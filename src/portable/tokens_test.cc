#include "portable/tokens.h"

#include <gtest/gtest.h>

namespace pinflow::portable {
namespace {

std::string kinds(std::string_view sql) {
  static constexpr const char* kNames[] = {"word",   "name",      "double", "text",    "dollar",
                                           "number", "parameter", "symbol", "comment", "unfinished"};
  std::string all;
  for (const Token& token : tokens_of(sql)) {
    all += (all.empty() ? "" : " ") + std::string(kNames[static_cast<int>(token.kind)]) + ":" + std::string(token.text);
  }
  return all;
}

TEST(Tokens, AreTextsNamesNumbersAndOperators) {
  EXPECT_EQ(kinds("SELECT a.b, 'it''s' FROM `t` x"),
            "word:SELECT word:a symbol:. word:b symbol:, text:'it''s' word:FROM name:`t` word:x");
  EXPECT_EQ(kinds("\"a\" e'b' $$c$$ $t$d$t$ $date ?"),
            "double:\"a\" text:e'b' dollar:$$c$$ dollar:$t$d$t$ parameter:$date parameter:?");
  EXPECT_EQ(kinds("1 1.5 .5 5. 1e3 1E-3 10L 1_000 0x10 1..2"),
            "number:1 number:1.5 number:.5 number:5. number:1e3 number:1E-3 number:10L number:1_000 number:0x10 "
            "number:1 symbol:.. number:2");
  EXPECT_EQ(kinds("a::INT||b//c|>d<=>e->>'f' :day"),
            "word:a symbol::: word:INT symbol:|| word:b symbol:// word:c symbol:|> word:d symbol:<=> word:e symbol:->> "
            "text:'f' parameter::day");
}

TEST(Tokens, CommentsNest) {
  EXPECT_EQ(kinds("1 /* a /* b */ c */ 2 -- it's\n3"),
            "number:1 comment:/* a /* b */ c */ number:2 comment:-- it's number:3");
}

TEST(Tokens, WithoutAnEndGoToTheEnd) {
  EXPECT_EQ(kinds("a 'b"), "word:a unfinished:'b");
  EXPECT_EQ(kinds("a /* b"), "word:a unfinished:/* b");
  EXPECT_EQ(kinds("`a"), "unfinished:`a");
  EXPECT_EQ(kinds("$$a"), "unfinished:$$a");
}

TEST(Tokens, KnowTheirPlaceInCodePoints) {
  const auto tokens = tokens_of("'é' a\n  b");
  EXPECT_EQ(tokens[1].column, 5);
  EXPECT_EQ(tokens[2].line, 2);
  EXPECT_EQ(tokens[2].column, 3);
}

TEST(Tokens, TextsSayTheirContent) {
  EXPECT_EQ(content_of(tokens_of("'it''s'")[0]), "it's");
  EXPECT_EQ(content_of(tokens_of("''")[0]), "");
  EXPECT_EQ(content_of(tokens_of("e'a\\n'")[0]), "a\\n");
}

}  // namespace
}  // namespace pinflow::portable
