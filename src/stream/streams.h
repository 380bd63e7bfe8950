// The streaming leg: records of streams and topics, cleaned in micro-batches, appended to Delta tables, each record
// exactly once, whatever dies at whatever moment.
//
// One worker for each stream, a thread of its own; they share one DuckDB, opened when the first record comes. For each
// micro-batch the worker puts a plan (plan.h), commits the dead letters, if there are any, to `dead_stream`, then each
// table that the batch has records for, every commit with txn {pinflow:<pipeline>:stream:<stream>:<table>, N}. A worker
// first finishes the plan that its predecessor left. A lease (lease.h) keeps others from doing the same work; that
// nothing is lost or doubled rests on plans and txn alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "stream/counts.h"
#include "stream/feed.h"

namespace pinflow::stream {

struct StreamOptions {
  std::chrono::milliseconds trigger{1'000};  // between the beginnings of two micro-batches, 10 ms to an hour
  size_t most_records = 50'000;              // of one micro-batch: with so many it begins at once
  size_t most_bytes = 16 << 20;
  std::chrono::milliseconds lease{10'000};
  int64_t memory_bytes = int64_t{512} << 20;  // of the engine, for all workers; beyond it it spills
  int threads = 0;                            // of the engine; 0: one for each processor
  // Streams and topics, by name, to go on with as they are now, where they cannot be as they were: made anew, or
  // records were removed before they were read. invalid (of that worker) where there is no need.
  std::set<std::string> anew{};
};

// A feed, and the record types that it brings.
struct FeedOfRecords {
  std::unique_ptr<Feed> feed;
  std::vector<std::string> records;  // names; of several, the record's partition key tells which
};

// The streams (and topics, where a record type says `from: kafka`) of a pipeline, with the record types of each, in the
// pipeline's order.
struct FeedPlan {
  enum class Kind { kinesis, kafka } kind = Kind::kinesis;
  std::string name;
  std::vector<std::string> records;
};
std::vector<FeedPlan> feeds_of(const pipeline::Pipeline& pipeline);

class Streams {
 public:
  // Starts the workers; they find their streams by themselves. `pipeline` and `store` outlive it.
  static Result<std::unique_ptr<Streams>> start(const pipeline::Pipeline& pipeline, object::Store& store,
                                                std::vector<FeedOfRecords> feeds, const StreamOptions& options);
  virtual ~Streams() = default;  // stop()

  // ---- any thread ---------------------------------------------------------------------------------------------------

  // Returns when all that the streams held when it was called is in the tables; at most after `limit`: then false.
  // Where a worker has failed, its error, when the others have caught up; cancelled after stop().
  virtual Result<bool> catch_up(std::optional<std::chrono::milliseconds> limit) = 0;
  // Ends the workers behind the micro-batch that they are at. The first worker's error, if one failed.
  virtual Result<> stop() = 0;
  virtual StreamCounts counts() const = 0;
  // A worker that has failed and does not go on by itself: its stream was made anew, records were trimmed, a cleaning
  // does not run. The others go on.
  virtual std::optional<Error> failure() const = 0;
  virtual bool all_failed() const = 0;
};

}  // namespace pinflow::stream
