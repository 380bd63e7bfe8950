#include "spark/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::spark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kUnknown = 2, kDenied = 7, kInternal = 13, kUnavailable = 14, kUnauthenticated = 16;

Failure of_class(std::string error_class, std::string sql_state = "42000") {
  return {
      .status = kInternal, .message = "m", .error_class = std::move(error_class), .sql_state = std::move(sql_state)};
}

TEST(Codes, ByErrorClass) {
  EXPECT_EQ(code_of(of_class("TABLE_OR_VIEW_NOT_FOUND")), Code::not_found);
  EXPECT_EQ(code_of(of_class("PATH_NOT_FOUND")), Code::not_found);
  EXPECT_EQ(code_of(of_class("TABLE_OR_VIEW_ALREADY_EXISTS")), Code::already_exists);
  EXPECT_EQ(code_of(of_class("DELTA_CONCURRENT_APPEND")), Code::conflict);
  EXPECT_EQ(code_of(of_class("DELTA_METADATA_CHANGED")), Code::conflict);
  EXPECT_EQ(code_of(of_class("PARSE_SYNTAX_ERROR")), Code::invalid);
  EXPECT_EQ(code_of(of_class("DIVIDE_BY_ZERO", "22012")), Code::invalid);
  EXPECT_EQ(code_of(of_class("UNSUPPORTED_FEATURE.X")), Code::unsupported);
  EXPECT_EQ(code_of(of_class("OPERATION_CANCELED", "HY008")), Code::cancelled);
  EXPECT_EQ(code_of(of_class("INVALID_HANDLE.SESSION_CLOSED")), Code::unavailable);
  EXPECT_EQ(code_of(of_class("INSUFFICIENT_PERMISSIONS")), Code::denied);
}

TEST(Codes, ByStatusAndException) {
  EXPECT_EQ(code_of({.status = kUnauthenticated}), Code::denied);
  EXPECT_EQ(code_of({.status = kDenied}), Code::denied);
  EXPECT_EQ(code_of({.status = kUnavailable}), Code::unavailable);
  EXPECT_EQ(code_of({.status = kInternal, .java_classes = {"io.delta.exceptions.ConcurrentAppendException"}}),
            Code::conflict);
  EXPECT_EQ(code_of({.status = kInternal, .java_classes = {"java.io.FileNotFoundException", "java.io.IOException"}}),
            Code::not_found);
  EXPECT_EQ(
      code_of({.status = kInternal, .message = "x: No space left on device", .java_classes = {"java.io.IOException"}}),
      Code::full);
  EXPECT_EQ(code_of({.status = kInternal,
                     .message = "Job aborted due to stage failure",
                     .java_classes = {"org.apache.spark.SparkException"}}),
            Code::unavailable);
}

TEST(Passing, IsAConnectionThatBroke) {
  EXPECT_TRUE(is_passing({.status = kUnavailable, .message = "Socket closed"}));
  EXPECT_TRUE(is_passing({.status = kUnknown, .message = "Stream removed"}));
  EXPECT_TRUE(is_passing({.status = kInternal, .message = "Received RST_STREAM with error code 2"}));
  EXPECT_FALSE(is_passing({.status = kInternal, .message = "an error of Spark"}));
  EXPECT_FALSE(is_passing({.status = kUnauthenticated}));
  EXPECT_FALSE(is_passing(of_class("INVALID_HANDLE.SESSION_NOT_FOUND")));
  EXPECT_TRUE(is_passing(of_class("INVALID_CURSOR.DISCONNECTED")));
  EXPECT_TRUE(is_lost_session(of_class("INVALID_HANDLE.SESSION_CHANGED")));
  EXPECT_FALSE(is_lost_session(of_class("INVALID_HANDLE.OPERATION_NOT_FOUND")));
}

// The statement is the file's third line and what follows; the text around it is the program's.
const Place kPlace{"SELECT a,\n 1/0 x\nFROM t", 3, {"clean/a.sql", 2, 10}};

TEST(Messages, NameTheUsersFileAndLine) {
  Failure failure = of_class("DIVIDE_BY_ZERO");
  failure.message = "[DIVIDE_BY_ZERO] Division by zero.\n== SQL (line 2, position 2) ==\n 1/0 x\n ^^^";
  failure.blames = {{11, 13, "1/0"}};
  const Error error = error_of(failure, {{kPlace}});
  EXPECT_EQ(error.message,
            "clean/a.sql:3: [DIVIDE_BY_ZERO] Division by zero.\n== SQL (line 3, position 2) ==\n 1/0 x\n ^^^");
}

TEST(Messages, TakeTheLineOfAParserError) {
  Failure failure = of_class("PARSE_SYNTAX_ERROR");
  failure.message = "[PARSE_SYNTAX_ERROR] Syntax error at or near 'x'. SQLSTATE: 42601 (line 3, pos 5)";
  EXPECT_THAT(error_of(failure, {{kPlace}}).message, StartsWith("clean/a.sql:4: "));
  EXPECT_THAT(error_of(failure, {{kPlace}}).message, HasSubstr("(line 4, pos 5)"));
}

TEST(Messages, FindTheViewThatIsToBlame) {
  Failure failure = of_class("DIVIDE_BY_ZERO");
  failure.message = "m";
  failure.blames = {{11, 13, "1/0"}};
  const Place statement{"SELECT * FROM a_view", 1, {"queries/q.sql"}};
  EXPECT_THAT(error_of(failure, {{statement, kPlace}}).message, StartsWith("clean/a.sql:3: "));
}

TEST(Messages, OutsideOfTheUsersTextNoLineIsClaimed) {
  Failure failure = of_class("TABLE_OR_VIEW_NOT_FOUND");
  failure.message = "not there (line 9, pos 1)";
  const Place place{"a\nb\nc", 1, {"q.sql", 2, 1}};
  EXPECT_EQ(error_of(failure, {{place}}).message, "q.sql: [TABLE_OR_VIEW_NOT_FOUND] not there (line 9, pos 1)");
  failure.message = "raised";
  EXPECT_THAT(error_of(failure, {{Place{"b\nc", 2, {"q.sql", 2, 2}}}}).message, StartsWith("q.sql:1: "));
  failure.message = "not there (line 9, pos 1)";
  EXPECT_EQ(error_of(failure, {}).message, "[TABLE_OR_VIEW_NOT_FOUND] not there (line 9, pos 1)");
  EXPECT_EQ(error_of(failure, {{Place{"a", 1, {}}}}).message, "[TABLE_OR_VIEW_NOT_FOUND] not there (line 9, pos 1)");
}

TEST(Messages, AreFreeOfPlansAndNotEndless) {
  Failure failure = of_class("UNRESOLVED_COLUMN");
  failure.message = "\n[UNRESOLVED_COLUMN] no column; line 1 pos 7;\n'Project ['x]\n+- OneRowRelation\n";
  EXPECT_EQ(error_of(failure, {}).message, "[UNRESOLVED_COLUMN] no column; line 1 pos 7");
  failure.message = std::string(100'000, 'x');
  EXPECT_LT(error_of(failure, {}).message.size(), 5000u);
  EXPECT_THAT(error_of({.status = kInternal}, {}).message, Not(HasSubstr("[]")));
}

}  // namespace
}  // namespace pinflow::spark
