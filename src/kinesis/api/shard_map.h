// Which open shard takes a hash key: the open shards of one state of a stream, sorted by their ranges. Pure.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

#include "kinesis/api/stream.h"

namespace pinflow::kinesis {

class ShardMap {
 public:
  // The open shards' ranges cover all keys, each once.
  explicit ShardMap(const Stream& stream) {
    for (size_t i = 0; i < stream.shards.size(); ++i) {
      if (stream.shards[i].open()) open_.emplace_back(stream.shards[i].range.last, static_cast<int32_t>(i));
    }
    std::ranges::sort(open_);
    assert(!open_.empty() && open_.back().first == kLastHashKey);
  }

  int32_t find(HashKey key) const { return std::ranges::lower_bound(open_, key, {}, &Entry::first)->second; }

 private:
  using Entry = std::pair<HashKey, int32_t>;  // the last key, the shard
  std::vector<Entry> open_;
};

}  // namespace pinflow::kinesis
