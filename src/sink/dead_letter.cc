#include "sink/dead_letter.h"

#include <simdjson.h>

#include "base/bytes.h"
#include "base/json.h"

namespace pinflow::sink {
namespace {

std::string_view stage_name(connect::Stage stage) {
  switch (stage) {
    case connect::Stage::value_converter: return "VALUE_CONVERTER";
    case connect::Stage::key_converter: return "KEY_CONVERTER";
    case connect::Stage::task_put: return "TASK_PUT";
  }
  return "";
}

// What Connect names as the class that failed.
std::string_view class_name(const Refuser& refuser) {
  if (refuser.stage == connect::Stage::task_put) return "org.apache.kafka.connect.sink.SinkTask";
  switch (refuser.converter) {
    case connect::Converter::json:
    case connect::Converter::json_schema: return "org.apache.kafka.connect.json.JsonConverter";
    case connect::Converter::string: return "org.apache.kafka.connect.storage.StringConverter";
    case connect::Converter::bytes: return "org.apache.kafka.connect.converters.ByteArrayConverter";
  }
  return "";
}

}  // namespace

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

kafka::NewRecord dead_letter_record(const kafka::Message& record, std::string_view reason, const Refuser& refuser,
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
  add("connector.name", std::string(refuser.connector));
  add("task.id", "0");
  add("stage", std::string(stage_name(refuser.stage)));
  add("class.name", std::string(class_name(refuser)));
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
