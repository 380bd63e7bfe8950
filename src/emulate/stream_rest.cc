#include "emulate/stream_rest.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/json.h"
#include "base/utf8.h"

namespace pinflow::emulate {
namespace {

using simdjson::dom::element;

constexpr std::string_view kOpen = R"({"data":)", kKey = R"(,"partition-key":)";
constexpr size_t kShownBytes = 300;  // of a foreign answer in a message

std::string shown(int status, std::string_view body) {
  return fmt::format("{} {}", status, utf8_prefix(body, kShownBytes));
}

std::string_view text_or(element from, std::string_view key, std::string_view otherwise) {
  std::string_view text;
  return from[key].get(text) == simdjson::SUCCESS ? text : otherwise;
}

// Of an error as Kinesis names it.
Fate fate_of(std::string_view type) {
  type = type.substr(type.rfind('#') + 1);  // of npos: from the beginning
  if (type == "ProvisionedThroughputExceededException" || type == "LimitExceededException" ||
      type == "ThrottlingException" || type == "KMSThrottlingException")
    return Fate::again;
  if (type == "InternalFailure" || type == "InternalFailureException" || type == "ServiceUnavailable")
    return Fate::unclear;
  return Fate::refused;
}

bool read_slots(element root, size_t count, std::vector<RecordFate>& fates) {
  simdjson::dom::array slots;
  if (root["Records"].get(slots) || slots.size() != count) return false;
  for (const element slot : slots) {
    const std::string_view error = text_or(slot, "ErrorCode", "");
    if (!error.empty()) {
      fates.push_back({fate_of(error), fmt::format("{}: {}", error, text_or(slot, "ErrorMessage", ""))});
    } else if (!text_or(slot, "SequenceNumber", "").empty()) {
      fates.push_back({Fate::stored, {}});
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string stream_record(std::string_view value, std::string_view partition_key) {
  std::string record;
  record.reserve(kOpen.size() + value.size() + kKey.size() + partition_key.size() + 8);
  record.append(kOpen).append(value).append(kKey);
  append_json_string(record, partition_key);
  return record += '}';
}

std::string put_record_body(std::string_view stream, std::string_view record) {
  // The key's text holds no quote that is not escaped, so the last of these begins it.
  const size_t key = record.rfind(kKey);
  std::string body = R"({"StreamName":)";
  append_json_string(body, stream);
  body.append(R"(,"Data":)").append(record.substr(kOpen.size(), key - kOpen.size()));
  return body.append(R"(,"PartitionKey":)").append(record.substr(key + kKey.size()));
}

std::string put_records_body(std::string_view stream, const std::vector<std::string>& records) {
  size_t size = 64 + stream.size();
  for (const std::string& record : records) size += record.size() + 1;
  std::string body;
  body.reserve(size);
  body = R"({"StreamName":)";
  append_json_string(body, stream);
  body += R"(,"records":[)";
  for (size_t i = 0; i < records.size(); ++i) {
    if (i > 0) body += ',';
    body += records[i];
  }
  return body += "]}";
}

std::string field_text(std::string_view object, std::string_view field) {
  thread_local simdjson::dom::parser parser;
  element root, value;
  if (parser.parse(object.data(), object.size()).get(root) || root[field].get(value)) return "0";
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(value);
}

ProduceAnswer read_stream_answer(int status, std::string_view body, size_t count) {
  thread_local simdjson::dom::parser parser;
  element root;
  const bool is_object = parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS && root.is_object();
  ProduceAnswer answer;
  answer.records.reserve(count);
  // API Gateway may hand Kinesis's error on with the status 200.
  const std::string_view type = is_object ? text_or(root, "__type", "") : std::string_view();
  if (status == 200 && is_object && type.empty()) {
    if (count == 1 && !text_or(root, "SequenceNumber", "").empty()) {
      answer.records.push_back({Fate::stored, {}});
      return answer;
    }
    if (read_slots(root, count, answer.records)) return answer;
    answer.records.clear();
  }
  Fate fate = Fate::refused;
  if (status == 408 || status == 425 || status == 429) fate = Fate::again;
  else if (!type.empty()) fate = fate_of(type);
  if (fate == Fate::refused && status >= 500) fate = Fate::unclear;
  answer.whole = fate == Fate::refused && status != 200;
  std::string reason = shown(status, body);
  if (status == 200 && type.empty()) reason = "an answer that is not Kinesis's: " + reason;
  answer.records.assign(count, {fate, reason});
  return answer;
}

}  // namespace pinflow::emulate
