#include "base/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"

namespace pinflow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string value_of(std::string_view text, std::string_view key) {
  auto properties = Properties::parse(text, "t.properties");
  EXPECT_TRUE(properties) << properties.error().message;
  auto value = properties->get(key);
  EXPECT_TRUE(value) << "no key '" << key << "' in: " << text;
  return value.value_or("(none)");
}

std::string error_of(std::string_view text) {
  auto properties = Properties::parse(text, "conf/t.properties");
  EXPECT_FALSE(properties) << text;
  return properties ? "" : properties.error().message;
}

TEST(Properties, SplitsKeysFromValues) {
  EXPECT_EQ(value_of("a=b", "a"), "b");
  EXPECT_EQ(value_of("a = b", "a"), "b");
  EXPECT_EQ(value_of("a:b", "a"), "b");
  EXPECT_EQ(value_of("a : b", "a"), "b");
  EXPECT_EQ(value_of("a b c", "a"), "b c");
  EXPECT_EQ(value_of("a\tb", "a"), "b");
  EXPECT_EQ(value_of("  \t\f a = b", "a"), "b");
  EXPECT_EQ(value_of("a", "a"), "");
  EXPECT_EQ(value_of("a=", "a"), "");
  EXPECT_EQ(value_of("a==b", "a"), "=b");
  EXPECT_EQ(value_of("a= =b", "a"), "=b");
  EXPECT_EQ(value_of("=b", ""), "b");
  EXPECT_EQ(value_of("a=b  ", "a"), "b  ");  // blanks at the end belong to the value
}

TEST(Properties, ReadsEscapes) {
  EXPECT_EQ(value_of(R"(a\ b=c)", "a b"), "c");
  EXPECT_EQ(value_of(R"(a\:b\=c=d)", "a:b=c"), "d");
  EXPECT_EQ(value_of(R"(a=\tb\nc\rd\fe\\f\q)", "a"), "\tb\nc\rd\fe\\fq");
  EXPECT_EQ(value_of(R"(a=\u00e9\u20ac)", "a"), "\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(value_of(R"(a=\ud83d\ude00)", "a"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(value_of(R"(a=\ud83dx)", "a"), "\xef\xbf\xbdx");
  EXPECT_EQ(value_of(R"(\u0061=b)", "a"), "b");
  EXPECT_EQ(value_of(R"(a=\ b)", "a"), " b");
  EXPECT_EQ(value_of("a=b\\", "a"), "b");
}

TEST(Properties, JoinsContinuedLines) {
  EXPECT_EQ(value_of("a=b,\\\n   c,\\\r\n\td", "a"), "b,c,d");
  EXPECT_EQ(value_of("a=b\\\\\nc=d", "a"), "b\\");  // two backslashes: an escaped one, no continuation
  EXPECT_EQ(value_of("a=b\\\\\nc=d", "c"), "d");
  EXPECT_EQ(value_of("a=b\\\n# no comment", "a"), "b# no comment");
  EXPECT_EQ(value_of("# comment \\\na=b", "a"), "b");  // a comment is never continued
  EXPECT_EQ(value_of("a=b\\\n\nc=d", "a"), "b");
}

TEST(Properties, SkipsCommentsAndBlankLines) {
  auto properties = Properties::parse("# x=1\n! y=2\n   # z=3\n\n  \t \r\r\na=1\rb=2\r\nc=3", "t");
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->all().size(), 3u);
  EXPECT_EQ(properties->get("a"), "1");
  EXPECT_EQ(properties->get("b"), "2");
  EXPECT_EQ(properties->get("c"), "3");
  EXPECT_EQ(properties->get("d"), std::nullopt);
}

TEST(Properties, CountsLines) {
  auto properties = Properties::parse("# x\na=1\\\n 2\r\nb=3\n", "t");
  ASSERT_TRUE(properties);
  EXPECT_EQ(properties->find("a")->line, 2);
  EXPECT_EQ(properties->find("b")->line, 4);
}

TEST(Properties, TheLastOfAKeyWins) {
  auto properties = Properties::parse("a=1\nb=2\na=3\n", "t");
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->all().size(), 2u);
  EXPECT_EQ(properties->get("a"), "3");
  EXPECT_EQ(properties->find("a")->line, 3);
}

TEST(Properties, RefusesMalformedEscapes) {
  EXPECT_THAT(error_of("x=1\na=\\u12G4"), AllOf(HasSubstr("conf/t.properties:2"), HasSubstr("hexadecimal")));
  EXPECT_THAT(error_of("a=\\u12"), HasSubstr("conf/t.properties:1"));
  EXPECT_THAT(error_of("\\u=1"), HasSubstr("conf/t.properties:1"));
}

TEST(Properties, RefusesPlaceholders) {
  EXPECT_THAT(error_of("flush.size=1\ntopics.regex=<YOUR_UUID>.*"),
              AllOf(HasSubstr("conf/t.properties:2"), HasSubstr("topics.regex"), HasSubstr("<YOUR_UUID>")));
  EXPECT_THAT(error_of("s3.bucket.name=<BUCKET_NAME>"), HasSubstr("<BUCKET_NAME>"));
  EXPECT_THAT(error_of("a=<Your> <ACCESS ROLE-ARN 2>"), HasSubstr("<ACCESS ROLE-ARN 2>"));
}

TEST(Properties, LetsOtherAngleBracketsPass) {
  EXPECT_EQ(value_of("a=<b>", "a"), "<b>");
  EXPECT_EQ(value_of("a=1 < 2 > 0", "a"), "1 < 2 > 0");
  EXPECT_EQ(value_of("a=(?<name>x)<>", "a"), "(?<name>x)<>");
  EXPECT_EQ(value_of("a=<YOUR.ID>", "a"), "<YOUR.ID>");
  EXPECT_EQ(value_of("# a=<YOUR_UUID>\nb=2", "b"), "2");
}

TEST(Properties, ReadsFiles) {
  std::string folder = (std::filesystem::temp_directory_path() / "properties_XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  auto file = std::filesystem::path(folder) / "client.properties";
  ASSERT_TRUE(create_file(file, "security.protocol = SASL_SSL\nsasl.mechanism = AWS_MSK_IAM\n"));
  auto properties = Properties::read(file);
  ASSERT_TRUE(properties) << properties.error().message;
  EXPECT_EQ(properties->get("security.protocol"), "SASL_SSL");
  EXPECT_EQ(properties->file(), file.string());
  auto missing = Properties::read(std::filesystem::path(folder) / "none.properties");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace pinflow
