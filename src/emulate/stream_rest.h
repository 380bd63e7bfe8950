// Requests to API Gateway's front of Kinesis, from the client's side. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "emulate/rest.h"

namespace pinflow::emulate {

// A record with its partition key, as it travels with others: {"data":{…},"partition-key":"…"}.
std::string stream_record(std::string_view value, std::string_view partition_key);

// {"StreamName":"…","Data":{…},"PartitionKey":"…"} of a stream_record, as the course's script sends it.
std::string put_record_body(std::string_view stream, std::string_view record);
// {"StreamName":"…","records":[{"data":{…},"partition-key":"…"}]}
std::string put_records_body(std::string_view stream, const std::vector<std::string>& records);

// The field of a JSON object as text, a string's characters or the number as it is written; "0" where there is none.
std::string field_text(std::string_view object, std::string_view field);

// `count`: how many records were sent; of one the answer is PutRecord's.
ProduceAnswer read_stream_answer(int status, std::string_view body, size_t count);

}  // namespace pinflow::emulate
