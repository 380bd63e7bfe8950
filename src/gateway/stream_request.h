// Bodies of requests to streams, as scripts send them to API Gateway's front of Kinesis, and what goes on to Kinesis.
//   one record   {"StreamName":"…","Data":{…},"PartitionKey":"…"}      the name in the body is ignored: the path has it
//   several      {"records":[{"data":{…},"partition-key":"…"}]} or {"Records":[{"Data":{…},"PartitionKey":"…"}]}
// Data is the JSON text of its value, just as it was sent: an object's text; of a string, the string with its quotes.
// (API Gateway's usual template for several records stored {key=value} text instead, which no reader could parse.)
// Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace pinflow::gateway {

// One record as it stands in a request to Kinesis: the members of its object, without the brackets, Data in base64.
// Members that were not sent are missing, for Kinesis to complain of.
struct StreamRecord {
  std::string members;  // "\"Data\":\"e30=\",\"PartitionKey\":\"k\""
  size_t bytes = 0;     // of data and key
  // Whether it may travel with others: it has data and a key within Kinesis's limits and asks for nothing unusual, so
  // that it cannot make a request fail for the others.
  bool plain = false;
};

// An error of API Gateway itself: {"message":"…"} with the status.
http::Response gateway_error(int status, std::string_view message);
// What is said to a request for /streams/record or /streams/records, `resource`, that names no stream.
std::string which_stream(std::string_view resource);
// An error as Kinesis words it: {"__type":"…","message":"…"}.
http::Response kinesis_error(int status, std::string_view type, std::string_view message);

// Errors: the answer to give. 400 where the body is not a JSON object in UTF-8.
std::expected<StreamRecord, http::Response> parse_stream_record(std::string_view body);
std::expected<std::vector<StreamRecord>, http::Response> parse_stream_records(std::string_view body);

// The number of "ShardCount" in the body of a request that makes a stream, a number or a text of one; `otherwise` where
// it is not given, or the body is empty.
std::expected<int64_t, http::Response> parse_shard_count(std::string_view body, int64_t otherwise);

}  // namespace pinflow::gateway
