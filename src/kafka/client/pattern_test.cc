#include "kafka/client/pattern.h"

#include <gtest/gtest.h>
#include <regex.h>

namespace pinflow::kafka {
namespace {

bool matches(std::string_view regex, const std::string& topic) {
  auto pattern = topic_pattern(regex);
  EXPECT_TRUE(pattern) << pattern.error().message;
  regex_t compiled;
  EXPECT_EQ(regcomp(&compiled, pattern->c_str(), REG_EXTENDED | REG_NOSUB), 0) << *pattern;
  const bool matched = regexec(&compiled, topic.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matched;
}

TEST(TopicPattern, MatchesTheWholeName) {
  EXPECT_TRUE(matches("local.*", "local.pin"));
  EXPECT_FALSE(matches("local", "local.pin"));
  EXPECT_FALSE(matches("pin", "local.pin"));
  EXPECT_TRUE(matches("a|b.c", "a"));
  EXPECT_TRUE(matches("a|b.c", "bxc"));
  EXPECT_FALSE(matches("a|b.c", "abxc"));
}

TEST(TopicPattern, KnowsJavasClassesAndQuotes) {
  EXPECT_TRUE(matches("\\d+\\.\\w+", "12.pin_a"));
  EXPECT_FALSE(matches("\\d+\\.\\w+", "x2.pin"));
  EXPECT_TRUE(matches("[\\w.]+", "a.b_c"));
  EXPECT_TRUE(matches("(?:pin|geo)s?", "pins"));
  EXPECT_TRUE(matches("\\Qa.b\\E.*", "a.bcd"));
  EXPECT_FALSE(matches("\\Qa.b\\E.*", "axbcd"));
  EXPECT_TRUE(matches("x\\+?", "x+"));
  EXPECT_TRUE(matches("[^.]+\\.pin", "0e4a-33.pin"));
}

TEST(TopicPattern, RefusesWhatPosixLacks) {
  for (const char* bad : {"a.*?", "a++", "a{2}?", "(?<n>a)", "(?!a)b", "\\bpin", "(a)\\1", "(a", "[a", "a\\"}) {
    auto pattern = topic_pattern(bad);
    ASSERT_FALSE(pattern) << bad << " became " << *pattern;
    EXPECT_EQ(pattern.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace pinflow::kafka
