// A stream as its metadata tell it: shards with their ranges and parents, and the rules of splitting and merging. Pure.
// A shard's number is its place in `shards`; it is the partition of the stream's topic too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinesis/api/error.h"
#include "kinesis/api/hash_key.h"
#include "kinesis/api/sequence.h"

namespace pinflow::kinesis {

struct Shard {
  HashKeyRange range;
  int32_t parent = -1;    // -1: none
  int32_t adjacent = -1;  // the second parent of a merge
  int64_t opened_ms = 0;
  int64_t closed_ms = -1;  // -1: open

  bool open() const { return closed_ms < 0; }
  bool operator==(const Shard&) const = default;
};

enum class Mode { provisioned, on_demand };

struct Stream {
  std::string name;
  std::string id;  // new for each stream made; the name of its topic in the log
  int64_t created_ms = 0;
  int64_t retention_hours = 24;
  Mode mode = Mode::provisioned;
  std::map<std::string, std::string> tags;
  std::vector<Shard> shards;

  bool operator==(const Stream&) const = default;
};

inline constexpr int32_t kMaxShards = 10'000;  // of a stream, closed ones too: each is a folder of the log
inline constexpr int64_t kLeastRetentionHours = 24, kMostRetentionHours = 8760;

std::string shard_id(int32_t shard);  // "shardId-000000000000"
// As AWS reads them: "shardId-000000000003", "3" too. Nothing where it is none of either.
std::optional<int32_t> parse_shard_id(std::string_view text);

int32_t open_shards(const Stream& stream);
// The open shard that takes the key. (The open shards' ranges always cover all keys, each once.)
int32_t shard_for(const Stream& stream, HashKey key);
// Whether the shard has not yet been dropped: a closed one is, when its last record is too old.
bool within_retention(const Stream& stream, int32_t shard, int64_t now_ms);

SequenceNumber sequence_of(const Stream& stream, int32_t shard, int64_t offset, int64_t time_ms);
SequenceNumber first_sequence(const Stream& stream, int32_t shard);
SequenceNumber last_sequence(const Stream& stream, int32_t shard);  // of a closed one

// The children of a shard that was closed, by their numbers.
std::vector<int32_t> children_of(const Stream& stream, int32_t shard);

// Each gives the stream as it is afterwards; `account` is for messages.
Answer<Stream> split(Stream stream, int32_t shard, HashKey at, int64_t now_ms, std::string_view account);
Answer<Stream> merge(Stream stream, int32_t shard, int32_t adjacent, int64_t now_ms, std::string_view account);
// Splits and merges until `count` open shards of one size are there.
Answer<Stream> resize(Stream stream, int32_t count, int64_t now_ms, std::string_view account);

}  // namespace pinflow::kinesis
