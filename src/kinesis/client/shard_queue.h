// What a reader's thread has fetched and its owner has not yet taken, by shard. Bounded by whoever fills it: bytes().
// Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "kinesis/client/reader.h"

namespace pinflow::kinesis {

class ShardQueue {
 public:
  // ---- who fetches
  // ----------------------------------------------------------------------------------------------------

  // Fetched: a block (it may be empty) and, where nothing lay behind it, the time until which the shard is now
  // complete.
  void put(RecordBlock block, int64_t complete_ms);
  void put_failure(Error error);  // read() gives it from now on
  void set_trouble(std::string trouble);
  size_t bytes() const;
  // The ends of shards that were handed out since it was last asked.
  std::vector<std::string> take_handed_ends();
  // The shard is read no more: it does not count for complete_ms.
  void drop(const std::string& shard);
  // Shards that are known and not yet being read: nothing is complete before they are.
  void set_waiting(bool waiting);

  // ---- who takes
  // ------------------------------------------------------------------------------------------------------

  Result<ReadBatch> take(ReadLimits limits);
  void wake();
  int64_t complete_ms() const;
  std::map<std::string, int64_t> complete_ms_by_shard() const;
  std::string trouble() const;

 private:
  struct Fetched {
    RecordBlock block;
    size_t taken = 0;  // records that were handed out already
    int64_t complete_ms = 0;
  };
  struct Lane {
    std::deque<Fetched> fetched;
    int64_t complete_ms = 0;  // INT64_MAX: its end was handed out
  };
  void take_from(const std::string& shard, Lane& lane, const ReadLimits& limits, ReadBatch& batch);

  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, Lane> lanes_;
  std::string last_taken_;  // the shard from which was taken last: the next one comes first
  std::vector<std::string> handed_ends_;
  size_t bytes_ = 0;
  size_t entries_ = 0;  // with records or an end
  bool waiting_ = true;
  bool woken_ = false;
  std::optional<Error> failure_;
  std::string trouble_;
};

}  // namespace pinflow::kinesis
