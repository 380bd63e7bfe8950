#include "sink/dead_letter.h"

#include <gtest/gtest.h>

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

TEST(DeadLetter, NamesItsOffset) {
  const std::string line = letter({.topic = "t", .offset = 123456789012, .value = "x"}, "not JSON");
  EXPECT_EQ(offset_of_dead_letter(line).value(), 123456789012);
  for (const char* other : {"", "{}", "7", "{\"offset\":-1}", "{\"offset\":\"7\"}", "not JSON"})
    EXPECT_FALSE(offset_of_dead_letter(other)) << other;
}

}  // namespace
}  // namespace pinflow::sink
