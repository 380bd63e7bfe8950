#include "sink/dead_letter.h"

#include <gtest/gtest.h>

#include <map>

namespace pinflow::sink {
namespace {

std::string letter(const kafka::Message& record, std::string_view reason) {
  std::string text;
  append_dead_letter(text, record, reason);
  return text;
}

TEST(DeadLetter, HoldsTheRecordAndItsOrigin) {
  kafka::Message record{
      .topic = "local.pin", .partition = 2, .offset = 17, .timestamp_ms = 1604883167000, .value = "{\xff"};
  EXPECT_EQ(
      letter(record, "not UTF-8"),
      "{\"topic\":\"local.pin\",\"partition\":2,\"offset\":17,\"timestamp\":1604883167000,\"reason\":\"not UTF-8\","
      "\"value_base64\":\"e/8=\"}\n");
  record.key = "";
  record.value = std::nullopt;
  record.timestamp_ms = -1;
  record.headers = {{"a\n", "x"}, {"b", std::nullopt}};
  EXPECT_EQ(letter(record, kNullValue),
            "{\"topic\":\"local.pin\",\"partition\":2,\"offset\":17,\"timestamp\":null,\"reason\":\"null value\","
            "\"value_base64\":null,\"key_base64\":\"\",\"headers\":[{\"name\":\"a\\n\",\"value_base64\":\"eA==\"},"
            "{\"name\":\"b\",\"value_base64\":null}]}\n");
}

TEST(DeadLetter, ForATopicHasConnectsHeaders) {
  kafka::Message record{.topic = "local.pin", .partition = 2, .offset = 17, .key = "k", .value = "{\xff"};
  record.headers = {{"mine", "x"}};
  const Refuser refuser{"posts", connect::Stage::value_converter, connect::Converter::string};
  const kafka::NewRecord plain = dead_letter_record(record, "not UTF-8", refuser, false);
  EXPECT_EQ(plain.key, "k");
  EXPECT_EQ(plain.value, "{\xff");
  ASSERT_EQ(plain.headers.size(), 1u);
  EXPECT_EQ(plain.headers[0].name, "mine");
  const auto headers = [&](const Refuser& by) {
    std::map<std::string, std::string> found;
    for (const kafka::Header& header : dead_letter_record(record, "not UTF-8", by, true).headers)
      found[header.name] = header.value.value_or("");
    return found;
  };
  const std::map<std::string, std::string> all = {
      {"mine", "x"},
      {"__connect.errors.topic", "local.pin"},
      {"__connect.errors.partition", "2"},
      {"__connect.errors.offset", "17"},
      {"__connect.errors.connector.name", "posts"},
      {"__connect.errors.task.id", "0"},
      {"__connect.errors.stage", "VALUE_CONVERTER"},
      {"__connect.errors.class.name", "org.apache.kafka.connect.storage.StringConverter"},
      {"__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"},
      {"__connect.errors.exception.message", "not UTF-8"},
      {"__connect.errors.exception.stacktrace", "not UTF-8"},
  };
  EXPECT_EQ(headers(refuser), all);
  EXPECT_EQ(headers({"posts", connect::Stage::key_converter}).at("__connect.errors.stage"), "KEY_CONVERTER");
  EXPECT_EQ(headers({"posts", connect::Stage::task_put}).at("__connect.errors.class.name"),
            "org.apache.kafka.connect.sink.SinkTask");
}

TEST(DeadLetter, NamesItsOffset) {
  const std::string line = letter({.topic = "t", .offset = 123456789012, .value = "x"}, "not JSON");
  EXPECT_EQ(offset_of_dead_letter(line).value(), 123456789012);
  for (const char* other : {"", "{}", "7", "{\"offset\":-1}", "{\"offset\":\"7\"}", "not JSON"})
    EXPECT_FALSE(offset_of_dead_letter(other)) << other;
}

}  // namespace
}  // namespace pinflow::sink
