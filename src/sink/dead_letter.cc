#include "sink/dead_letter.h"

#include <simdjson.h>

#include "base/bytes.h"
#include "base/json.h"

namespace pinflow::sink {

void append_dead_letter(std::string& to, const kafka::Message& record, std::string_view reason) {
  const auto base64 = [](JsonWriter& json, const std::optional<std::string_view>& bytes) {
    if (bytes) json.string(base64_encode(*bytes));
    else json.null();
  };
  JsonWriter json;
  json.begin_object().key("topic").string(record.topic).key("partition").number(int64_t{record.partition});
  json.key("offset").number(record.offset).key("timestamp");
  if (record.timestamp_ms >= 0) json.number(record.timestamp_ms);
  else json.null();
  json.key("reason").string(reason).key("value_base64");
  base64(json, record.value);
  if (record.key) json.key("key_base64").string(base64_encode(*record.key));
  if (!record.headers.empty()) {
    json.key("headers").begin_array();
    for (const kafka::HeaderView& header : record.headers) {
      json.begin_object().key("name").string(header.name).key("value_base64");
      base64(json, header.value);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  to += json.text();
  to += '\n';
}

kafka::NewRecord dead_letter_record(const kafka::Message& record, std::string_view reason, std::string_view connector,
                                    bool headers) {
  const auto copy = [](const std::optional<std::string_view>& bytes) {
    return bytes ? std::optional<std::string>(*bytes) : std::nullopt;
  };
  kafka::NewRecord letter{.key = copy(record.key), .value = copy(record.value), .headers = {}, .partition = {}};
  for (const kafka::HeaderView& header : record.headers)
    letter.headers.push_back({std::string(header.name), copy(header.value)});
  if (!headers) return letter;
  const auto add = [&letter](std::string_view name, std::string value) {
    letter.headers.push_back({fmt::format("__connect.errors.{}", name), std::move(value)});
  };
  add("topic", std::string(record.topic));
  add("partition", fmt::to_string(record.partition));
  add("offset", fmt::to_string(record.offset));
  add("connector.name", std::string(connector));
  add("task.id", "0");
  add("stage", "VALUE_CONVERTER");
  add("class.name", "org.apache.kafka.connect.json.JsonConverter");
  add("exception.class.name", "org.apache.kafka.connect.errors.DataException");
  add("exception.message", std::string(reason));
  add("exception.stacktrace", std::string(reason));
  return letter;
}

Result<int64_t> offset_of_dead_letter(std::string_view line) {
  simdjson::dom::parser parser;
  int64_t offset = 0;
  const auto parsed = parser.parse(line.data(), line.size());
  if (parsed.error() || parsed["offset"].get(offset) != simdjson::SUCCESS || offset < 0)
    return corrupt("a line of it is no dead letter: {:.80}", line);
  return offset;
}

}  // namespace pinflow::sink
