#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "kafka/client/commands.h"
#include "kafka/client/consumer.h"
#include "kafka/client/mock_cluster_test.h"

namespace pinflow::kafka {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class ConsoleTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared = std::make_unique<MockCluster>(); }
  static void TearDownTestSuite() { shared.reset(); }
  static std::unique_ptr<MockCluster> shared;

  ProduceCounts produce(const std::string& topic, const std::string& text) {
    std::istringstream in(text);
    auto counts = produce_command(shared->config(), topic, in);
    EXPECT_TRUE(counts) << counts.error().message;
    return counts.value_or(ProduceCounts{});
  }
  std::string consume(const ConsumeOptions& options) {
    std::ostringstream out;
    auto printed = consume_command(shared->config(), options, out);
    EXPECT_TRUE(printed) << printed.error().message;
    return out.str();
  }
};
std::unique_ptr<MockCluster> ConsoleTest::shared;

TEST_F(ConsoleTest, EachLineIsARecord) {
  shared->create_topic("lines", 1);
  auto counts = produce("lines", std::string("one\n\nthree\r\nnul\0nul\nlast", 24));
  EXPECT_EQ(counts.lines, 5);
  EXPECT_EQ(counts.acknowledged, 5);
  EXPECT_TRUE(counts.complete());
  ConsumeOptions options{.topic = "lines", .from_beginning = true, .until_end = true};
  EXPECT_EQ(consume(options), std::string("one\n\nthree\nnul\0nul\nlast\n", 24));
  options.max_messages = 3;
  EXPECT_EQ(consume(options), "one\n\nthree\n");
  options.output = Output::json;
  options.max_messages = 1;
  EXPECT_THAT(consume(options), MatchesRegex("\\{\"topic\":\"lines\",\"partition\":0,\"offset\":0,\"timestamp\":[0-9]+,"
                                             "\"key\":null,\"value\":\"one\"\\}\n"));
}

TEST_F(ConsoleTest, EndsWhenNothingComes) {
  shared->create_topic("empty", 2);
  EXPECT_EQ(consume({.topic = "empty", .timeout_ms = 100}), "");
  EXPECT_EQ(consume({.topic = "empty", .from_beginning = true, .until_end = true}), "");
}

TEST_F(ConsoleTest, AGroupCommitsWhatWasPrinted) {
  shared->create_topic("grouped", 1);
  produce("grouped", "1\n2\n3\n");
  ConsumeOptions options{.topic = "grouped", .group = "students", .from_beginning = true, .max_messages = 2};
  EXPECT_EQ(consume(options), "1\n2\n");
  auto member = Consumer::open(shared->config(), {.group = "students"});
  auto committed = (*member)->committed({{"grouped", 0}});
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_EQ(committed->front().offset, 2);
}

TEST_F(ConsoleTest, NamesATopicThatIsNotThere) {
  std::ostringstream out;
  auto printed = consume_command(shared->config(), {.topic = "none"}, out);
  ASSERT_FALSE(printed);
  EXPECT_EQ(printed.error().code, Code::not_found);
  EXPECT_THAT(printed.error().message, HasSubstr("none"));
}

TEST_F(ConsoleTest, TellsTheFirstLineThatFailed) {
  shared->create_topic("refusing", 1);
  rd_kafka_mock_push_request_errors(shared->get(), 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);  // 0: Produce
  auto counts = produce("refusing", "a\nb\n");
  EXPECT_EQ(counts.lines, 2);
  EXPECT_FALSE(counts.complete());
  EXPECT_THAT(counts.first_failure, HasSubstr("line 1: "));
}

TEST_F(ConsoleTest, RefusesALineWithoutEnd) {
  shared->create_topic("long", 1);
  std::istringstream in("short\n" + std::string(static_cast<size_t>(kMaxLineBytes) + 100, 'x'));
  auto counts = produce_command(shared->config(), "long", in);
  ASSERT_FALSE(counts);
  EXPECT_THAT(counts.error().message, HasSubstr("line 2"));
  EXPECT_EQ(consume({.topic = "long", .from_beginning = true, .until_end = true}), "short\n");
}

}  // namespace
}  // namespace pinflow::kafka
