// The body of a produce request of the REST proxy (v2):
//   {"records":[{"key":…,"value":…,"partition":0},…]}     key, value and partition may be left out or null
// and the answer to it. Pure.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/media_types.h"
#include "gateway/rest_error.h"
#include "kafka/client/topic_writer.h"

namespace pinflow::gateway {

struct ProduceRules {
  Embedded embedded = Embedded::json;
  bool partition_in_path = false;  // then a record may not name one
  size_t max_records = 10'000;
};

// The records. With json, a key or value is the JSON text just as it was sent (numbers, blanks, escapes, duplicate
// names and all: judging them is the sink's work); with binary, the bytes that the base64 string holds. null is none.
// Errors: 400 where the body is not one JSON value in UTF-8 (a NUL or another bare control character in a string
// included), 413 above max_records, 422 where it has another shape: no records or none in them, an unknown name, a
// partition that is not a number from 0, base64 that is none. key_schema, value_schema and their ids are accepted and
// ignored, as these two formats have no use for them. Where a name is given twice the last one counts.
std::expected<std::vector<kafka::NewRecord>, RestError> parse_produce(std::string_view body, const ProduceRules& rules);

// One record's place in the answer.
struct Slot {
  int32_t partition = -1;
  int64_t offset = -1;
  int error_code = 0;  // 0: stored
  std::string error;
};

// {"offsets":[{"partition":0,"offset":7,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null}
std::string produce_answer(std::span<const Slot> slots);

}  // namespace pinflow::gateway
