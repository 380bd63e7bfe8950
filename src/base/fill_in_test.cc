#include "base/fill_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow {
namespace {

std::optional<std::string> lookup(const std::string& name) {
  if (name == "A") return "one";
  if (name == "B_2") return "${A}";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

TEST(FillIn, FindsPlaceholders) {
  EXPECT_EQ(placeholder("s3://<BUCKET_NAME>/x"), "<BUCKET_NAME>");
  EXPECT_EQ(placeholder("<a> <Your> <YOUR UUID-1>"), "<YOUR UUID-1>");
  for (const char* none : {"", "a < B > c", "<b>", "<B", "B>", "<>", "(?<NAME>)x<"})
    EXPECT_EQ(placeholder(none), std::string_view(none) == "(?<NAME>)x<" ? "<NAME>" : "") << none;
}

TEST(FillIn, TakesVariables) {
  const auto filled = [](std::string_view text) { return with_environment(text, lookup); };
  EXPECT_EQ(*filled("x${A}y${env:A}z"), "xoneyonez");
  EXPECT_EQ(*filled("${B_2}"), "${A}");  // what is put in is not looked at again
  EXPECT_EQ(*filled("[${EMPTY}]"), "[]");
  for (const char* same : {"", "$", "${", "${A", "$A", "${a}", "${2A}", "${file:/x:k}", "${}", "$${a}b"})
    EXPECT_EQ(*filled(same), same);
  const auto missing = filled("a${NOT_SET}");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("NOT_SET is not set"));
}

}  // namespace
}  // namespace pinflow
