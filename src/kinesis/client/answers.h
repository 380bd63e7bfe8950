// The answers of single operations, read. Pure. corrupt: it is not such an answer.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kinesis/client/client.h"

namespace pinflow::kinesis {

Result<StreamSummary> parse_summary(std::string_view body);  // of DescribeStreamSummary

struct StreamsPage {
  std::vector<std::string> names;
  bool more = false;
};
Result<StreamsPage> parse_streams(std::string_view body);  // of ListStreams

struct ShardsPage {
  std::vector<ListedShard> shards;
  std::string next_token;  // empty: the last page
};
Result<ShardsPage> parse_shards(std::string_view body);  // of ListShards

// Of PutRecords with `count` records.
Result<std::vector<PutSlot>> parse_put_slots(std::string_view body, size_t count);

// Of GetShardIterator.
Result<std::string> parse_iterator(std::string_view body);

// ---- and the requests ---------------------------------------------------------------------------------------------

std::string stream_body(std::string_view stream);                                    // {"StreamName":…}
std::string list_shards_body(std::string_view stream, std::string_view next_token);  // the first page: no token
std::string put_records_body(std::string_view stream, std::span<const RecordToPut> records);

}  // namespace pinflow::kinesis
