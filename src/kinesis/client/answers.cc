#include "kinesis/client/answers.h"

#include <simdjson.h>

#include <cmath>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"

namespace pinflow::kinesis {
namespace {

using simdjson::dom::element;

std::string text_or_empty(simdjson::simdjson_result<element> value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

// Seconds with a fraction, as JSON 1.1 says it; kept to the millisecond. Some services write the time as text.
int64_t time_of(simdjson::simdjson_result<element> value) {
  double seconds = 0;
  if (value.get(seconds) == simdjson::SUCCESS) return std::llround(seconds * 1000);
  return parse_iso_time(text_or_empty(value)).value_or(0);
}

std::unexpected<Error> no_such_answer(std::string_view what) {
  return corrupt("{}: the answer is not Kinesis's", what);
}

}  // namespace

Result<StreamSummary> parse_summary(std::string_view body) {
  simdjson::dom::parser parser;
  element root, summary;
  if (parser.parse(body.data(), body.size()).get(root) || root["StreamDescriptionSummary"].get(summary))
    return no_such_answer("DescribeStreamSummary");
  StreamSummary made;
  made.name = text_or_empty(summary["StreamName"]);
  made.identity.arn = text_or_empty(summary["StreamARN"]);
  made.identity.created_ms = time_of(summary["StreamCreationTimestamp"]);
  made.status = text_or_empty(summary["StreamStatus"]);
  int64_t number = 0;
  if (summary["RetentionPeriodHours"].get(number) == simdjson::SUCCESS) made.retention_hours = number;
  if (summary["OpenShardCount"].get(number) == simdjson::SUCCESS) made.open_shards = static_cast<int32_t>(number);
  if (made.name.empty() || made.status.empty()) return no_such_answer("DescribeStreamSummary");
  return made;
}

Result<StreamsPage> parse_streams(std::string_view body) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array list;
  if (parser.parse(body.data(), body.size()).get(root) || root["StreamNames"].get(list))
    return no_such_answer("ListStreams");
  StreamsPage page;
  for (element name : list) page.names.push_back(text_or_empty(std::move(name)));
  if (root["HasMoreStreams"].get(page.more)) page.more = false;
  return page;
}

Result<ShardsPage> parse_shards(std::string_view body) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array list;
  if (parser.parse(body.data(), body.size()).get(root) || root["Shards"].get(list)) return no_such_answer("ListShards");
  ShardsPage page;
  for (const element shard : list) {
    ListedShard made;
    made.id = text_or_empty(shard["ShardId"]);
    made.parent = text_or_empty(shard["ParentShardId"]);
    made.adjacent = text_or_empty(shard["AdjacentParentShardId"]);
    element range;
    if (shard["SequenceNumberRange"].get(range) == simdjson::SUCCESS) {
      made.first_sequence = text_or_empty(range["StartingSequenceNumber"]);
      made.last_sequence = text_or_empty(range["EndingSequenceNumber"]);
      made.closed = !made.last_sequence.empty();
    }
    if (shard["HashKeyRange"].get(range) == simdjson::SUCCESS) {
      made.first_hash_key = text_or_empty(range["StartingHashKey"]);
      made.last_hash_key = text_or_empty(range["EndingHashKey"]);
    }
    if (made.id.empty()) return no_such_answer("ListShards");
    page.shards.push_back(std::move(made));
  }
  page.next_token = text_or_empty(root["NextToken"]);
  return page;
}

Result<std::string> parse_iterator(std::string_view body) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(body.data(), body.size()).get(root)) return no_such_answer("GetShardIterator");
  std::string iterator = text_or_empty(root["ShardIterator"]);
  if (iterator.empty()) return no_such_answer("GetShardIterator");
  return iterator;
}

Result<std::vector<PutSlot>> parse_put_slots(std::string_view body, size_t count) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array list;
  if (parser.parse(body.data(), body.size()).get(root) || root["Records"].get(list) || list.size() != count)
    return no_such_answer("PutRecords");
  std::vector<PutSlot> slots;
  slots.reserve(count);
  for (const element slot : list) {
    slots.push_back({text_or_empty(slot["SequenceNumber"]), text_or_empty(slot["ShardId"]),
                     text_or_empty(slot["ErrorCode"]), text_or_empty(slot["ErrorMessage"])});
    if (slots.back().ok() && slots.back().sequence.empty()) return no_such_answer("PutRecords");
  }
  return slots;
}

std::string stream_body(std::string_view stream) {
  return JsonWriter().begin_object().key("StreamName").string(stream).end_object().take();
}

std::string list_shards_body(std::string_view stream, std::string_view next_token) {
  JsonWriter json;
  json.begin_object();
  if (next_token.empty()) json.key("StreamName").string(stream);
  else json.key("NextToken").string(next_token);  // then no stream may be named
  return json.end_object().take();
}

std::string put_records_body(std::string_view stream, std::span<const RecordToPut> records) {
  size_t size = 64 + stream.size();
  for (const RecordToPut& record : records) size += record.data.size() / 3 * 4 + record.partition_key.size() + 96;
  std::string body;
  body.reserve(size);
  body = R"({"StreamName":)";
  append_json_string(body, stream);
  body += R"(,"Records":[)";
  for (const char* separator = ""; const RecordToPut& record : records) {
    body += std::exchange(separator, ",");
    body += R"({"Data":")";
    append_base64(body, record.data);
    body += R"(","PartitionKey":)";
    append_json_string(body, record.partition_key);
    if (!record.explicit_hash_key.empty()) {
      body += R"(,"ExplicitHashKey":)";
      append_json_string(body, record.explicit_hash_key);
    }
    body += '}';
  }
  body += "]}";
  return body;
}

}  // namespace pinflow::kinesis
