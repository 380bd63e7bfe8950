// Topics to objects, exactly once: a member of a Kafka consumer group that passes each record through the JSON gate
// and writes the good ones as objects of consecutive offsets, one record a line, and the refused ones as dead letters.
//
// Why a record is in the lake exactly once, whatever dies at whatever moment. Lines of JSON under the default
// partitioner, and nothing else written, are a chain:
//   - An object is put if absent under a name made of its first offset, and never rewritten. A sink puts the objects
//     of a partition in order, each at the end that it has seen; a name that is taken is another's object (or its own,
//     whose answer was lost): its end is read, and work goes on after it. So the objects of a partition form one chain.
//   - Where a partition is begun is read from the lake: the first offset, from the group's committed one on, that no
//     object and no dead letter holds. The group's offset is moved only over what is durable.
// All else is written by plans (plan.h): what is closed at once is written down before any of it is made, and is made
// again by that plan where a sink died over it.
//
// A Sink owns its threads: `tasks` that poll and shape, each a member of the group, and `writers` that write. Its
// functions may be called from any other thread. The store must outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "connect/settings.h"
#include "kafka/client/config.h"
#include "object/store.h"
#include "sink/names.h"
#include "sink/rotation.h"

namespace pinflow::sink {

struct SinkOptions {
  std::string name = "pinflow-sink";  // the group is "connect-" + name
  std::vector<std::string> topics;    // these,
  std::string topics_regex;           // or all whose whole name matches; one of the two
  Layout layout;
  Rotation rotation;
  connect::Settings shape;          // what becomes of a record
  bool rotate_on_change = true;     // rotate.file.on.partition.change
  int64_t max_open_files = 0;       // of one Kafka partition, then they are closed; 0: any. partitioner.max.open.files
  std::string dead_letter_topic;    // errors.deadletterqueue.topic.name; empty: dead letters are objects
  bool dead_letter_headers = true;  // errors.deadletterqueue.context.headers.enable
  int dead_letter_replicas = -1;    // of that topic where it is made; -1: the cluster's default
  bool log_bad_records = false;     // a line for each; errors.log.enable
  bool stop_at_bad_record = false;  // rather than a dead letter; errors.tolerance=none where it was asked for
  // A store that denies what the sink needs (keys, rights) is tried until it does not; off, as where somebody waits for
  // the end: an error at once.
  bool wait_when_denied = true;
  int64_t memory_bytes = 96 << 20;  // of all files in progress or being written; above it polling pauses
  int tasks = 1;                    // members of the group in this process; tasks.max
  int writers = 4;                  // threads; each has one partition at a time
  // Records that the log lost before the lake had them: an error, or given up with a warning (on.lost.offsets).
  bool accept_lost = false;
  std::chrono::milliseconds commit_interval{1'000};
  std::chrono::milliseconds stop_limit{10'000};  // how long stop() and a revocation wait for a store that fails
};

struct PartitionCounts {
  std::string topic;
  int32_t partition = 0;
  int64_t start = 0;     // where this sink began: the first offset that the lake lacked
  int64_t position = 0;  // of the next record to be read
  int64_t done = 0;      // all before it is durable
};

// Of this sink since its start, in records where nothing else is said.
//   taken = in_objects + dead + skipped + ignored + what is in progress
struct SinkCounts {
  int64_t taken = 0;       // read, from each partition's start on
  int64_t in_objects = 0;  // in objects that it wrote
  int64_t dead = 0;        // in dead letters that it wrote
  int64_t skipped = 0;     // met in the lake already (a replay, or another sink was faster)
  int64_t ignored = 0;     // left out, as behavior.on.null.values says
  int64_t objects = 0;     // written, without those of dead letters
  int64_t dead_objects = 0;
  int64_t bytes = 0;  // of both
  // A store that denies what the sink needs (keys, rights) is tried until it does not; off, as where somebody waits for
  // the end: an error at once.
  bool wait_when_denied = true;
  int64_t memory_bytes = 0;                 // of files in progress and of those being written, now
  std::vector<PartitionCounts> partitions;  // that it has now, sorted
};

class Sink {
 public:
  // Begins at once; a cluster that cannot be reached shows later.
  static Result<std::unique_ptr<Sink>> start(SinkOptions options, object::Store& store,
                                             const kafka::ClientConfig& config);
  ~Sink();  // stop()
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  SinkCounts counts() const;
  // Why it has stopped by itself; nothing while it works.
  std::optional<Error> failure() const;

  // Returns when all that the topics held at the call is in the lake, by this sink or by others of its group, and is
  // committed; a fault of the store is waited out. Fails with what stopped the sink, or cancelled after stop().
  Result<> run_until_caught_up();
  // Has all files in progress closed now; returns at once.
  void flush();
  // Closes and writes what is in progress, commits, leaves the group. Where the store fails for stop_limit, the rest
  // stays in the topics for the next start, which is an error that says so. Later calls return the same.
  Result<> stop();

 private:
  class Worker;
  struct Shared;
  Sink();
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace pinflow::sink
