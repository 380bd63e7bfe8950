#include "source/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::source {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Url, SqliteHasThreeSlashesForARelativeFileAndFourForAnAbsoluteOne) {
  EXPECT_EQ(parse_url("sqlite:///data/source.db")->file, "data/source.db");
  EXPECT_EQ(parse_url("sqlite:////srv/source.db")->file, "/srv/source.db");
  EXPECT_EQ(parse_url("sqlite:////srv/source.db")->redacted(), "sqlite:////srv/source.db");
  for (const char* wrong : {"sqlite:///", "sqlite://x.db", "sqlite:x.db", "source.db", "postgres://h/d", ""}) {
    const auto parsed = parse_url(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_THAT(parsed.error().message, HasSubstr("three slashes: FILE is relative"));
  }
}

TEST(Url, MysqlHasEveryPartOrLeavesItOpen) {
  const auto full = parse_url("mysql://ann:p%40ss:w@db.example:3307/posts");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->user, "ann");
  EXPECT_EQ(full->password, "p@ss:w");
  EXPECT_EQ(full->host, "db.example");
  EXPECT_EQ(full->port, 3307);
  EXPECT_EQ(full->database, "posts");
  EXPECT_EQ(full->redacted(), "mysql://ann:***@db.example:3307/posts");
  const auto open = parse_url("mysql://");
  ASSERT_TRUE(open);
  EXPECT_TRUE(open->host.empty());
  EXPECT_FALSE(open->has_password);
  EXPECT_EQ(open->port, 0);
  EXPECT_EQ(parse_url("mysql://[::1]:99/x")->host, "::1");
  EXPECT_EQ(parse_url("mysql+pymysql://u:p@h/d")->database, "d");
  EXPECT_EQ(parse_url("mysql://u:a/b@h/d")->password, "a/b");
}

TEST(Url, ErrorsNeverShowThePassword) {
  for (const char* wrong :
       {"mysql://u:secret@h:99999/d", "mysql://u:secret%zz@h/d", "mysql://u:secret@h/d?ssl=1", "mysq://u:secret@h/d"}) {
    const auto parsed = parse_url(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace pinflow::source
