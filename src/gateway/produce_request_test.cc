#include "gateway/produce_request.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/json_scanner.h"
#include "gateway/routes.h"

namespace pinflow::gateway {
namespace {

std::string repeat(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

RestError error_of(std::string_view body, ProduceRules rules = {}) {
  const auto records = parse_produce(body, rules);
  EXPECT_FALSE(records.has_value()) << body;
  return records ? RestError{200, 200, ""} : records.error();
}

TEST(Produce, keeps_the_text_of_each_value_as_it_was_sent) {
  const std::string values[] = {
      R"({"index":7528})",
      R"({ "a" : 1.50e+02 , "b":[ 1,2 ] })",
      R"({"a":1,"a":2})",
      R"("\ud800")",
      R"(123456789012345678901234567890.000)",
      R"("é \u00e9 \/ \n")",
      R"([{"x":true},false])",
      R"("null")",
      repeat("[", 10'000) + repeat("]", 10'000),
      repeat(R"({"a":)", 10'000) + "1" + repeat("}", 10'000),
      "\"" + std::string(1'000'000, 'x') + "\"",
      "-0",
      R"("\u0000")",
  };
  for (const std::string& value : values) {
    const auto records = parse_produce(" {\"records\" : [ {\"value\": \n" + value + " } ] } \n", {});
    ASSERT_TRUE(records.has_value()) << value.substr(0, 100) << records.error().message;
    ASSERT_EQ(records->size(), 1u);
    EXPECT_EQ(records->at(0).value, value);
    EXPECT_FALSE(records->at(0).key.has_value());
  }
}

TEST(Produce, reads_keys_partitions_and_nulls) {
  const auto records = parse_produce(
      R"({"key_schema":null,"records":[{"key":"k","value":null,"partition":3},{"key":{"id":1}},{"value":1,"partition":null}],)"
      R"("value_schema_id":7})",
      {});
  ASSERT_TRUE(records.has_value());
  ASSERT_EQ(records->size(), 3u);
  EXPECT_EQ(records->at(0).key, R"("k")");
  EXPECT_FALSE(records->at(0).value.has_value());
  EXPECT_EQ(records->at(0).partition, 3);
  EXPECT_EQ(records->at(1).key, R"({"id":1})");
  EXPECT_FALSE(records->at(2).partition.has_value());
}

TEST(Produce, understands_escaped_names_and_lets_the_last_of_two_win) {
  const auto records =
      parse_produce(R"({"records":[{"value":1}],"\u0072ecords":[{"v\u0061lue":2},{"value":3,"value":4}]})", {});
  ASSERT_TRUE(records.has_value());
  ASSERT_EQ(records->size(), 2u);
  EXPECT_EQ(records->at(0).value, "2");
  EXPECT_EQ(records->at(1).value, "4");
}

TEST(Produce, decodes_binary) {
  const ProduceRules binary{.embedded = Embedded::binary};
  const auto records =
      parse_produce(R"({"records":[{"key":"a2V5","value":"AP\/+"},{"value":""},{"value":null}]})", binary);
  ASSERT_TRUE(records.has_value());
  EXPECT_EQ(records->at(0).key, "key");
  EXPECT_EQ(records->at(0).value, std::string("\x00\xff\xfe", 3));
  EXPECT_EQ(records->at(1).value, "");
  EXPECT_FALSE(records->at(2).value.has_value());
  EXPECT_EQ(error_of(R"({"records":[{"value":"abc"},{"value":"%%%%"}]})", binary).code, kPayloadError);
  const RestError json_value = error_of(R"({"records":[{"value":{"a":1}}]})", binary);
  EXPECT_EQ(json_value.status, 422);
  EXPECT_NE(json_value.message.find("application/vnd.kafka.json.v2+json"), std::string::npos);
  EXPECT_NE(json_value.message.find("records[0].value"), std::string::npos);
}

TEST(Produce, answers_400_to_what_is_not_json) {
  const std::string bodies[] = {
      "{",
      "not json",
      "{\"records\":[{\"value\":{}}]",
      "{\"records\":[{\"value\":{}}]}}",
      "{\"records\":[{\"value\":}]}",
      "{\"records\":[{\"value\":{\"a\":1,}}]}",
      "{\"records\":[{\"value\":[1,]}]}",
      "{\"records\":[{\"value\":[1 2]}]}",
      "{\"records\":[{\"value\":{\"a\" 1}}]}",
      "{\"records\":[{\"value\":{a:1}}]}",
      "{\"records\":[{\"value\":[}]}]}",
      "{\"records\":[{\"value\":\"open}]}",
      "{\"records\":[{\"value\":\"\\x\"}]}",
      "{\"records\":[{\"value\":\"\\u12g4\"}]}",
      "{\"records\":[{\"value\":01}]}",
      "{\"records\":[{\"value\":1.}]}",
      "{\"records\":[{\"value\":-}]}",
      "{\"records\":[{\"value\":1e}]}",
      "{\"records\":[{\"value\":nul}]}",
      "{\"records\":[{\"value\":NaN}]}",
      "{\"records\":[{\"value\":'a'}]}",
      "{\"records\":[{\"value\":\"line\nend\"}]}",
      std::string("{\"records\":[{\"value\":\"nul\0\"}]}", 30),
      "{\"records\":[{\"value\":\"bad utf-8 \xff\"}]}",
      "{\"records\":[{\"value\":\"\xed\xa0\x80\"}]}",
      "{\"records\":[{\"value\":1},]}",
      "{\"records\":[{\"value\":1}],}",
      "\xef\xbb\xbf{\"records\":[{\"value\":1}]}",
      "{\"records\":[{\"value\":" + repeat("[", 100'000),
  };
  for (const std::string& body : bodies) EXPECT_EQ(error_of(body).status, 400) << body.substr(0, 100);
  EXPECT_NE(error_of(R"({"records":[{"value":nope}]})").message.find("at byte 21"), std::string::npos);
}

TEST(Produce, never_takes_a_body_that_was_cut) {
  const std::string whole = R"({"records":[{"key":"k\u00e9y","value":{"a":[1.5e3,true,null,"x\n"]},"partition":12}]})";
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto records = parse_produce(std::string_view(whole).substr(0, length), {});
    EXPECT_FALSE(records.has_value()) << whole.substr(0, length);
  }
  EXPECT_TRUE(parse_produce(whole, {}).has_value());
}

TEST(Produce, answers_422_to_another_shape) {
  const std::string bodies[] = {
      "",
      " \n",
      "{}",
      "[]",
      "1",
      R"({"records":null})",
      R"({"records":[]})",
      R"({"records":{}})",
      R"({"records":[1]})",
      R"({"records":[[{"value":1}]]})",
      R"({"records":[{"value":1,"partition":-1}]})",
      R"({"records":[{"value":1,"partition":"0"}]})",
      R"({"records":[{"value":1,"partition":1.5}]})",
      R"({"records":[{"value":1,"partition":99999999999}]})",
      R"({"value":{"index":1}})",
      R"({"records":[{"index":1}]})",
      R"({"records":[{"value":1}],"extra":1})",
  };
  for (const std::string& body : bodies) EXPECT_EQ(error_of(body).status, 422) << body;
  EXPECT_EQ(error_of(R"({"receiver":"x"})").message, "Unrecognized field: receiver");
  EXPECT_EQ(error_of(R"({"records":[{"value":1,"partition":0}]})", {.partition_in_path = true}).status, 422);
}

TEST(Produce, names_the_record_that_is_wrong) {
  struct Case {
    const char* body;
    const char* place;
    ProduceRules rules = {};
  };
  const Case cases[] = {
      {R"({"records":[{"valeu":1}]})", "(in records[0])"},
      {R"({"records":[{"value":1},{"value":2,"valeu":1},{"value":3}]})", "(in records[1])"},
      {R"({"records":[{"partition":0,"value":1}]})", "(in records[0])", {.partition_in_path = true}},
      {R"({"records":[{"value":1},{"value":1,"partition":0}]})", "(in records[1])", {.partition_in_path = true}},
      {R"({"records":[1]})", "records[0] must be"},
      {R"({"records":[{"value":1},1]})", "records[1] must be"},
      {R"({"records":[{"value":1},{"partition":-1}]})", "records[1].partition"},
      {R"({"records":[{"value":""},{"value":"%"}]})", "records[1].value", {.embedded = Embedded::binary}},
      {R"({"records":[{"value":1},{"value":2}],"records":[{"valeu":1}]})", "(in records[0])"},
  };
  for (const Case& c : cases) {
    const RestError error = error_of(c.body, c.rules);
    EXPECT_EQ(error.status, 422) << c.body;
    EXPECT_NE(error.message.find(c.place), std::string::npos) << c.body << ": " << error.message;
  }
}

TEST(Produce, bounds_the_records_of_a_request) {
  EXPECT_TRUE(parse_produce(R"({"records":[{"value":1},{"value":2}]})", {.max_records = 2}).has_value());
  EXPECT_EQ(error_of(R"({"records":[{"value":1},{"value":2}]})", {.max_records = 1}).status, 413);
}

TEST(Produce, writes_the_answer) {
  const Slot slots[] = {{.partition = 0, .offset = 9'000'000'000}, {.error_code = 50003, .error = "say \"no\""}};
  EXPECT_EQ(produce_answer(slots), R"({"offsets":[{"partition":0,"offset":9000000000,"error_code":null,"error":null},)"
                                   R"({"partition":null,"offset":null,"error_code":50003,"error":"say \"no\""}],)"
                                   R"("key_schema_id":null,"value_schema_id":null})");
}

TEST(Routes, find_resources_behind_any_stage) {
  struct Case {
    const char* target;
    Resource resource;
    const char* topic;
    int partition;
  };
  const Case cases[] = {
      {"/", Resource::root, "", -1},
      {"", Resource::root, "", -1},
      {"/prod", Resource::stage, "", -1},
      {"/local.pin/", Resource::stage, "", -1},
      {"/prod/local.pin", Resource::unknown, "", -1},
      {"/topics", Resource::topics, "", -1},
      {"/prod/topics/", Resource::topics, "", -1},
      {"/topics/local.pin", Resource::topic, "local.pin", -1},
      {"/dev/topics/local.pin", Resource::topic, "local.pin", -1},
      {"/my-prod//topics///local.pin//", Resource::topic, "local.pin", -1},
      {"//topics/local.pin?x=/y", Resource::topic, "local.pin", -1},
      {"/Prod/topics/a%2Eb%20c", Resource::topic, "a.b c", -1},
      {"http://host:8082/prod/topics/t", Resource::topic, "t", -1},
      {"http://host", Resource::root, "", -1},
      {"/topics/a://b", Resource::unknown, "", -1},
      {"/topics/topics", Resource::topic, "topics", -1},
      {"/topics/consumers", Resource::topic, "consumers", -1},
      {"/topics/t/partitions", Resource::partitions, "t", -1},
      {"/Test/topics/t/partitions/12/", Resource::partition, "t", 12},
      {"/topics/t/partitions/12/offsets", Resource::not_yet, "", -1},
      {"/topics/t/partitions/x", Resource::unknown, "", -1},
      {"/topics/t/partitions/99999999999", Resource::unknown, "", -1},
      {"/topics/t/other", Resource::unknown, "", -1},
      {"/a/b/topics/t", Resource::unknown, "", -1},
      {"/prod/nothing", Resource::unknown, "", -1},
      {"/consumers/students", Resource::not_yet, "", -1},
      {"/prod/consumers/students/instances/1", Resource::not_yet, "", -1},
      {"/v3/clusters", Resource::not_yet, "", -1},
      {"/kafka/v3/clusters", Resource::not_yet, "", -1},
      {"/brokers", Resource::not_yet, "", -1},
  };
  for (const Case& c : cases) {
    const auto found = route(c.target);
    ASSERT_TRUE(found.has_value()) << c.target;
    EXPECT_EQ(found->resource, c.resource) << c.target;
    if (c.resource == Resource::not_yet || c.resource == Resource::unknown) continue;
    EXPECT_EQ(found->topic, c.topic) << c.target;
    EXPECT_EQ(found->partition, c.partition) << c.target;
  }
  for (const char* target : {"/topics/%", "/topics/%2", "/topics/%zz"})
    EXPECT_FALSE(route(target).has_value()) << target;
}

TEST(Routes, find_streams_by_the_path_or_the_query) {
  struct Case {
    const char* target;
    Resource resource;
    const char* stream;
  };
  const Case cases[] = {
      {"/streams", Resource::streams, ""},
      {"/prod/streams/?Limit=3", Resource::streams, ""},
      {"/streams/s", Resource::stream, "s"},
      {"/dev//streams/streaming-a-b.c/", Resource::stream, "streaming-a-b.c"},
      {"/streams/record", Resource::stream, "record"},
      {"/streams/streams", Resource::stream, "streams"},
      {"/prod/streams/s/record", Resource::record, "s"},
      {"//streams//s//record//", Resource::record, "s"},
      {"/prod/streams/record?stream-name=s", Resource::record, "s"},
      {"/prod/streams/record/?x=1&stream-name=a%2Eb", Resource::record, "a.b"},
      {"/streams/records?stream-name=s", Resource::records, "s"},
      {"/streams/s/records", Resource::records, "s"},
      {"/streams/s/sharditerator?shard-id=1", Resource::shard_iterator, "s"},
      {"/streams/s/other", Resource::unknown, ""},
      {"/streams/s/record/x", Resource::unknown, ""},
      {"/streams/other?stream-name=s", Resource::stream, "other"},
  };
  for (const Case& c : cases) {
    const auto found = route(c.target);
    ASSERT_TRUE(found.has_value()) << c.target;
    EXPECT_EQ(found->resource, c.resource) << c.target;
    if (c.resource == Resource::unknown) continue;
    EXPECT_EQ(found->stream, c.stream) << c.target;
  }
  EXPECT_EQ(route("/streams/s/sharditerator?a=b&shard-id=shardId-0+1&c")->parameter("shard-id"), "shardId-0 1");
  EXPECT_FALSE(route("/streams?Limit=%zz").has_value());
  for (const char* under : {"/streams", "/dev//streams/%zz", "/streams/s/record/x", "http://host:1/prod/streams?a=%"})
    EXPECT_TRUE(is_under_streams(under)) << under;
  for (const char* other : {"/", "/prod", "/topics/streams", "/v3/streams", "/a/b/streams", "/prod?/streams"})
    EXPECT_FALSE(is_under_streams(other)) << other;
}

TEST(MediaTypes, read_content_types_as_the_rest_proxy_does) {
  for (const char* json : {"application/vnd.kafka.json.v2+json", "application/vnd.kafka.json.v2+json; charset=utf-8",
                           "Application/Vnd.Kafka.JSON.v2+json;charset=UTF-8"}) {
    EXPECT_EQ(embedded_format(json).value(), Embedded::json) << json;
  }
  for (const char* binary : {"application/vnd.kafka.binary.v2+json", "application/vnd.kafka.v2+json",
                             "application/json", "application/octet-stream", ""}) {
    EXPECT_EQ(embedded_format(binary).value(), Embedded::binary) << binary;
  }
  for (const char* other : {"text/plain", "application/x-www-form-urlencoded", "application/vnd.kafka.json.v1+json"}) {
    EXPECT_EQ(embedded_format(other).error().status, 415) << other;
  }
  const RestError avro = embedded_format("application/vnd.kafka.avro.v2+json").error();
  EXPECT_EQ(avro.status, 415);
  EXPECT_NE(avro.message.find("schema registry"), std::string::npos);
}

TEST(MediaTypes, choose_the_answers_type_by_accept) {
  EXPECT_EQ(answer_type("").value(), kKafkaV2);
  EXPECT_EQ(answer_type("*/*").value(), kKafkaV2);
  EXPECT_EQ(answer_type("application/vnd.kafka.v2+json, application/json").value(), kKafkaV2);
  EXPECT_EQ(answer_type("application/json").value(), kJson);
  EXPECT_EQ(answer_type("application/json, text/plain, */*").value(), kJson);
  EXPECT_EQ(answer_type("text/html, */*;q=0.8").value(), kKafkaV2);
  EXPECT_EQ(answer_type("text/html").error().status, 406);
}

TEST(JsonScanner, unescapes) {
  EXPECT_EQ(unescaped(R"("a\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00")"), "a\"\\/\b\f\n\r\té€😀");
  for (const char* alone : {R"("\ud800")", R"("\ud800x")", R"("\ud800\u0041")", R"("\udc00")"}) {
    EXPECT_FALSE(unescaped(alone).has_value()) << alone;
  }
}

}  // namespace
}  // namespace pinflow::gateway
