// Where records come from, as the stream worker sees it: a stream of shards (Kinesis), or a topic of partitions
// (Kafka). A Feed is one of them; a Reading reads it from given positions on, in its own time, within bounds. Positions
// are decimal numbers of any length that rise within a shard: sequence numbers, offsets.
//
// Implementations: kinesis_feed.h, kafka_feed.h; memory_feed_test.h for tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::stream {

// Who a stream is, to tell it from one made anew under its name. Two texts that mean something to the feed alone; an
// empty one is not known.
struct Identity {
  std::string place;  // the stream's ARN; the cluster's id
  std::string id;     // when it was made, in ms; the topic's id
  bool operator==(const Identity&) const = default;

  // No text that both know differs.
  bool may_be(const Identity& other) const {
    const auto same = [](const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; };
    return same(place, other.place) && same(id, other.id);
  }
};

// Where the reading of a shard goes on.
struct Progress {
  std::string after;        // the last record's position; empty: none yet, from the oldest record
  bool ended = false;       // read to its end: only its children matter
  int64_t complete_ms = 0;  // until then the shard had been read to its tip; 0: not known
  bool operator==(const Progress&) const = default;
};

// The views point into the block's bytes.
struct FeedRecord {
  std::string_view position;
  std::string_view key;  // the partition key
  std::string_view data;
  int64_t arrived_ms = 0;  // at the service; 0: not known
};

// Records of one shard, in order.
struct FeedBlock {
  std::string shard;
  std::vector<FeedRecord> records;
  std::shared_ptr<const void> owner;  // keeps the bytes; copies of a block share it
  size_t bytes = 0;                   // of keys and data
  bool ends_shard = false;            // behind these records; its children wait for release()
};

struct ReadLimits {
  size_t records = 10'000;
  size_t bytes = 8 << 20;  // of keys and data; one record may exceed it
  std::chrono::milliseconds wait{1'000};
};

// Fetches ahead on a thread of its own. Made, used and destroyed by one thread, but for wake().
class Reading {
 public:
  virtual ~Reading() = default;

  // What is there; waits for the first. Empty when nothing came in time. Errors end the reading: not_found (no such
  // stream), conflict (made anew under the old name), corrupt (records were trimmed before they were read), denied.
  virtual Result<std::vector<FeedBlock>> read(const ReadLimits& limits) = 0;
  // The shard's end is committed: its children may start.
  virtual void release(const std::string& shard) = 0;
  virtual void wake() = 0;  // any thread: read() returns soon
  virtual const Identity& identity() const = 0;
  // Every record that the stream had before this time has been handed out; 0: not known.
  virtual int64_t complete_ms() const = 0;
  virtual std::map<std::string, int64_t> complete_ms_by_shard() const = 0;
  // Why nothing comes at the moment; empty when all is well.
  virtual std::string trouble() const = 0;
};

// (after, through] of one shard: a plan's range, read again. Both empty: nothing but the shard's end is asked for.
struct ShardRange {
  std::string shard;
  std::string after, through;
};

// Any thread may call any function.
class Feed {
 public:
  virtual ~Feed() = default;

  virtual const std::string& name() const = 0;  // of the stream or topic
  // What it is called in names of objects and transactions: the stream's name; "topic=…" for a topic.
  virtual std::string key() const = 0;
  // For people: "stream streaming-local-pin", "topic local.pin".
  virtual std::string title() const = 0;

  // Waits until the stream has been found, at most as long as its service may take. Errors as of Reading::read, and
  // unavailable. `identity`: as it was read before.
  virtual Result<std::unique_ptr<Reading>> start(const std::optional<Identity>& identity,
                                                 const std::map<std::string, Progress>& progress) = 0;
  // Of the stream that was read, some records of which are missing: the shards whose positions are still good. The
  // others are read from their oldest record.
  virtual Result<std::map<std::string, Progress>> still_good(const std::map<std::string, Progress>&) {
    return std::map<std::string, Progress>{};
  }
  // `take` gets the range's records in order and may end it by an error. corrupt where the record `through` is gone.
  virtual Result<> read_range(const ShardRange& range, const std::function<Result<>(const FeedBlock&)>& take) = 0;
};

}  // namespace pinflow::stream
