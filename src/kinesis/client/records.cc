#include "kinesis/client/records.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes.h"
#include "base/clock.h"

namespace pinflow::kinesis {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr auto kNoAnswer = "the answer of GetRecords is not Kinesis's";

// One block's bytes: the keys, numbers and data of all its records, one after the other. Never moved, as views point
// into it; all of it is shorter than the JSON that it came from.
struct Arena {
  explicit Arena(size_t size) : bytes(new char[size]) {}
  std::unique_ptr<char[]> bytes;
  size_t used = 0;

  std::string_view keep(std::string_view text) {
    char* begin = bytes.get() + used;
    std::copy(text.begin(), text.end(), begin);
    used += text.size();
    return {begin, text.size()};
  }
  bool keep_decoded(std::string_view base64, std::string_view& data) {
    char* begin = bytes.get() + used;
    if (!base64_decode(base64, begin)) return false;
    data = {begin, base64_decoded_size(base64)};
    used += data.size();
    return true;
  }
};

// Seconds with a fraction, to the millisecond; text in some services.
int64_t time_of(ondemand::value value) {
  double seconds = 0;
  if (value.get_double().get(seconds) == simdjson::SUCCESS) return std::llround(seconds * 1000);
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return parse_iso_time(text).value_or(0);
  return 0;
}

bool read_record(ondemand::object object, Arena& arena, ReadRecord& record) {
  bool has_data = false;
  for (auto field : object) {
    std::string_view key, text;
    ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    if (key == "Data") {
      if (value.get_string().get(text) || !arena.keep_decoded(text, record.data)) return false;
      has_data = true;
    } else if (key == "PartitionKey") {
      if (value.get_string().get(text)) return false;
      record.partition_key = arena.keep(text);
    } else if (key == "SequenceNumber") {
      if (value.get_string().get(text)) return false;
      record.sequence = arena.keep(text);
    } else if (key == "ApproximateArrivalTimestamp") {
      record.arrived_ms = time_of(value);
    }
  }
  return has_data && !record.sequence.empty();
}

bool read_answer(ondemand::object root, Arena& arena, GetRecordsAnswer& answer) {
  bool has_records = false;
  for (auto field : root) {
    std::string_view key, text;
    ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    if (key == "Records") {
      ondemand::array list;
      if (value.get_array().get(list)) return false;
      for (auto item : list) {
        ondemand::object object;
        ReadRecord record;
        if (item.get_object().get(object) || !read_record(object, arena, record)) return false;
        answer.block.bytes += record.partition_key.size() + record.data.size();
        answer.block.records.push_back(record);
      }
      has_records = true;
    } else if (key == "NextShardIterator") {
      bool null = false;
      if (value.is_null().get(null)) return false;
      if (null) continue;
      if (value.get_string().get(text)) return false;
      answer.next_iterator = text;
    } else if (key == "MillisBehindLatest") {
      double number = 0;
      bool null = false;
      if (value.is_null().get(null)) return false;
      if (null) continue;
      if (value.get_double().get(number)) return false;
      answer.behind_ms = static_cast<int64_t>(number);
      answer.behind_known = true;
    }
  }
  return has_records;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<GetRecordsAnswer> parse_get_records(std::string body) {
  const size_t size = body.size();
  body.reserve(size + simdjson::SIMDJSON_PADDING);
  thread_local ondemand::parser parser;
  ondemand::document document;
  ondemand::object root;
  auto arena = std::make_shared<Arena>(size);
  GetRecordsAnswer answer;
  const bool good = !parser.iterate(simdjson::padded_string_view(body.data(), size, body.capacity())).get(document) &&
                    !document.get_object().get(root) && read_answer(root, *arena, answer);
  if (!good) return corrupt("{}", kNoAnswer);
  for (const ReadRecord& record : answer.block.records)
    if (!is_number(record.sequence)) return corrupt("{}: a sequence number that is none", kNoAnswer);
  answer.block.owner = std::move(arena);
  return answer;
}

std::strong_ordering compare_sequences(std::string_view a, std::string_view b) {
  while (a.starts_with('0')) a.remove_prefix(1);
  while (b.starts_with('0')) b.remove_prefix(1);
  if (const auto by_length = a.size() <=> b.size(); by_length != 0) return by_length;
  return a.compare(b) <=> 0;
}

}  // namespace pinflow::kinesis
