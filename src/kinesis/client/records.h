// Records as they were read, and the answer of GetRecords that holds them. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::kinesis {

// The texts point into their block's bytes.
struct ReadRecord {
  std::string_view sequence;  // decimal
  std::string_view partition_key;
  std::string_view data;   // decoded from base64
  int64_t arrived_ms = 0;  // as the service says; 0 where it does not
};

// Records of one shard, in order.
struct RecordBlock {
  std::string shard;  // "shardId-000000000000"
  std::vector<ReadRecord> records;
  std::shared_ptr<const void> owner;  // keeps the bytes; copies of a block share it
  size_t bytes = 0;                   // of keys and data
  // The shard ends behind these records: it was split or merged, and its children go on.
  bool ends_shard = false;
};

// The body of GetRecords' answer.
struct GetRecordsAnswer {
  RecordBlock block;          // without its shard's name
  std::string next_iterator;  // empty at the shard's end
  int64_t behind_ms = 0;      // MillisBehindLatest
  bool behind_known = false;
};
// corrupt: not such an answer.
Result<GetRecordsAnswer> parse_get_records(std::string body);

// Sequence numbers as the integers that they are, of any length. ("" is less than all others.)
std::strong_ordering compare_sequences(std::string_view a, std::string_view b);

}  // namespace pinflow::kinesis
