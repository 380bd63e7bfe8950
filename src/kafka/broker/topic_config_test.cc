#include "kafka/broker/topic_config.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pinflow::kafka {
namespace {

TEST(TopicConfig, GoesToTheLogAndBack) {
  const ConfigMap set{{"retention.ms", "1000"},
                      {"retention.bytes", "5"},
                      {"segment.bytes", "1024"},
                      {"min.insync.replicas", "2"},
                      {"max.message.bytes", "77"}};
  const auto config = to_log_config(set);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->retention_ms, 1000);
  EXPECT_EQ(config->retention_bytes, 5);
  EXPECT_EQ(config->segment_bytes, 1024);
  EXPECT_EQ(from_log_config(*config), set);
  EXPECT_EQ(max_message_bytes_of(*config, 9), 77);
  EXPECT_EQ(max_message_bytes_of({}, 9), 9);
}

TEST(TopicConfig, ATopicThatIsOnlyCompactedLosesNothing) {
  const ConfigMap set{{"cleanup.policy", "compact"}, {"retention.ms", "1000"}};
  const auto config = to_log_config(set);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->retention_ms, -1);
  EXPECT_EQ(from_log_config(*config), set);
  EXPECT_EQ(to_log_config({{"cleanup.policy", "compact,delete"}, {"retention.ms", "1000"}})->retention_ms, 1000);
}

TEST(TopicConfig, RefusesWhatKafkaRefuses) {
  const std::pair<const char*, const char*> bad[] = {
      {"retention.hours", "1"},     {"retention.ms", "soon"},
      {"retention.ms", "-2"},       {"retention.ms", ""},
      {"cleanup.policy", "burn"},   {"cleanup.policy", ""},
      {"preallocate", "maybe"},     {"segment.bytes", "3000000000"},
      {"max.message.bytes", "1.5"}, {"min.cleanable.dirty.ratio", "2"},
  };
  for (const auto& [name, value] : bad) {
    const auto checked = check_topic_config(name, value);
    ASSERT_FALSE(checked) << name << "=" << value;
    EXPECT_NE(checked.error().message.find(name), std::string::npos);
  }
  EXPECT_FALSE(check_topic_config("message.timestamp.type", "LogAppendTime")) << "timestamps are never rewritten here";
}

TEST(TopicConfig, EveryStandardValueIsOneThatCanBeSet) {
  EXPECT_TRUE(std::ranges::is_sorted(topic_config_specs(), {}, &TopicConfigSpec::name));
  for (const auto& spec : topic_config_specs()) {
    const auto checked = check_topic_config(spec.name, spec.standard);
    EXPECT_TRUE(checked) << checked.error().message;
  }
  EXPECT_EQ(topic_config_values({}, 5).size(), topic_config_specs().size());
  EXPECT_EQ(topic_config_values({}, 5).at("max.message.bytes"), "5");
}

TEST(TopicConfig, KnowsTheNamesThatTopicsMayHave) {
  for (const char* good : {"a", "0a1b2c.pin", "A_b-C.9", "..."}) EXPECT_TRUE(is_topic_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a b", "a/b", "pin\xc3\xa9"}) EXPECT_FALSE(is_topic_name(bad)) << bad;
  EXPECT_TRUE(is_topic_name(std::string(249, 'a')));
  EXPECT_FALSE(is_topic_name(std::string(250, 'a')));
}

}  // namespace
}  // namespace pinflow::kafka
