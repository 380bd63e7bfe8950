#include "source/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "source/test_folder.h"

namespace pinflow::source {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Credentials : public ::testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name : {"HOST", "USER", "PASSWORD", "DATABASE", "PORT"}) {
      unsetenv((std::string("PINFLOW_DB_") + name).c_str());
    }
  }
  Result<SourceUrl> complete_with(const std::string& yaml, const std::string& url = "mysql://") {
    return complete(*parse_url(url), {.file = folder_.write("creds.yaml", yaml)});
  }
  TestFolder folder_;
};

TEST_F(Credentials, EveryKeyStyleIsRead) {
  for (const std::string prefix : {"", "RDS_", "AWSDB_", "rds_"}) {
    std::string yaml;
    for (const std::string line :
         {"HOST: db.example", "USER: ann", "PASSWORD: 's3cret'", "DATABASE: posts", "PORT: 3307"}) {
      yaml += prefix + line + "\n";
    }
    const auto url = complete_with(yaml);
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(url->host, "db.example");
    EXPECT_EQ(url->user, "ann");
    EXPECT_EQ(url->password, "s3cret");
    EXPECT_EQ(url->database, "posts");
    EXPECT_EQ(url->port, 3307);
  }
  const auto small = complete_with("host: h\nuser: u\npassword: p\ndatabase: d\n");
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_EQ(small->port, default_mysql_port);
}

TEST_F(Credentials, TheUrlWinsThenTheEnvironmentThenTheFile) {
  setenv("PINFLOW_DB_USER", "eve", 1);
  setenv("PINFLOW_DB_DATABASE", "other", 1);
  const auto url = complete_with("HOST: h\nUSER: u\nPASSWORD: p\nDATABASE: d\n", "mysql:///mine");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->host, "h");
  EXPECT_EQ(url->user, "eve");
  EXPECT_EQ(url->database, "mine");
}

TEST_F(Credentials, AMissingKeyIsNamedWithItsFileAndNoValueIsShown) {
  const auto url = complete_with("HOST: h\nUSERNAME: u\nPASSWORD: s3cret\n");
  ASSERT_FALSE(url);
  EXPECT_THAT(url.error().message, AllOf(HasSubstr("creds.yaml: USER, DATABASE are missing"),
                                         HasSubstr("PINFLOW_DB_USER"), Not(HasSubstr("s3cret"))));
  const auto list = complete_with("HOST: h\nUSER: u\nPASSWORD: [s3cret]\nDATABASE: d\n");
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message,
              AllOf(HasSubstr("creds.yaml:3: PASSWORD must be a text, not a list"), Not(HasSubstr("s3cret"))));
  const auto port = complete_with("HOST: h\nUSER: u\nPASSWORD: p\nDATABASE: d\nPORT: s3cret\n");
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error().message, AllOf(HasSubstr("creds.yaml:5: PORT is no number"), Not(HasSubstr("s3cret"))));
  const auto twice = complete_with("HOST: h\nRDS_HOST: s3cret\n");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, AllOf(HasSubstr(":2: HOST is given twice"), Not(HasSubstr("s3cret"))));
  const auto placeholder = complete_with("HOST: <YOUR_HOST>\n");
  ASSERT_FALSE(placeholder);
  EXPECT_THAT(placeholder.error().message, HasSubstr(":1: HOST is still a <PLACEHOLDER>"));
}

TEST_F(Credentials, TheFileIsLookedForInThePipelinesFolder) {
  folder_.write("db_creds.yaml", "HOST: h\nUSER: u\nPASSWORD: p\nDATABASE: d\n");
  const auto url = choose_source("", {.pipeline_folder = folder_.path()}, "x.db");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->redacted(), "mysql://u:***@h:3306/d");
  const auto none = choose_source("", {.pipeline_folder = folder_ / "empty"}, "x.db");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->redacted(), "sqlite:///x.db");
  const auto given = choose_source("sqlite:///y.db", {.pipeline_folder = folder_.path()}, "x.db");
  ASSERT_TRUE(given);
  EXPECT_EQ(given->file, "y.db");
  const auto absent = choose_source("mysql://h/d", {.file = folder_ / "nowhere.yaml"}, "x.db");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::not_found);
}

}  // namespace
}  // namespace pinflow::source
