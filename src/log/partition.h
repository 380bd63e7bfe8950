// One partition: gives offsets to appends, gathers them in memory until a committing thread takes them as one group,
// and answers them when the group is on the disk. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "log/committer.h"
#include "log/group.h"
#include "log/log.h"
#include "log/partition_files.h"
#include "log/producer_state.h"

namespace pinflow::log {

// What the partitions of a log share. Outlives them.
struct Shared {
  explicit Shared(LogOptions given, int committing_threads) : options(given), committer(committing_threads) {}

  // Tells those that wait for growth that some partition has grown.
  void grown();

  const LogOptions options;
  std::atomic<int64_t> pending_bytes{0};  // of all partitions: appended, not yet answered
  std::mutex answering;                   // held while Dones are called: never two at once
  std::mutex growth_mutex;
  std::condition_variable growth_changed;
  std::atomic<uint64_t> growth{0};
  GroupPool groups;
  Committer committer;  // the last: its threads end before the rest goes
};

class Partition : public Committable, public std::enable_shared_from_this<Partition> {
 public:
  // Reads the producers' state; `files` is open. `name` is for messages: topic-partition.
  static Result<std::shared_ptr<Partition>> open(std::string name, std::unique_ptr<PartitionFiles> files,
                                                 int64_t segment_bytes, Shared& shared);

  // As Log::append; `header` is that of `batch`, which was checked. An error that is known at once is returned and
  // `done` left as it is; else `done` is taken and will be called.
  Result<> append(const BatchHeader& header, std::string batch, Log::Done& done);
  bool commit() override;

  PartitionFiles& files() { return *files_; }
  const PartitionFiles& files() const { return *files_; }
  void set_segment_bytes(int64_t bytes) { segment_bytes_.store(bytes, std::memory_order_relaxed); }

  // Takes no more appends: they get `why`. What is pending is answered before it returns: with `why` where `at_once`,
  // but for the group that is being written; else it is written first.
  void stop(const Error& why, bool at_once);
  // After `stop`: writes what makes the next open fast.
  void close();

 private:
  Partition(std::string name, std::unique_ptr<PartitionFiles> files, int64_t segment_bytes, ProducerState producers,
            Shared& shared);

  Group& group_for(int64_t bytes, int64_t last_offset_delta);
  void answer(Group group);
  void fail(Group group, const Error& error);
  void refuse(std::deque<Group> groups, const Error& error);

  const std::string name_;
  Shared& shared_;
  const std::unique_ptr<PartitionFiles> files_;
  std::atomic<int64_t> segment_bytes_;
  ProducerState durable_producers_;  // as of the durable end; by the committing thread
  bool failing_ = false;             // the last group could not be stored; by the committing thread

  std::mutex mutex_;              // of all below
  std::condition_variable idle_;  // notified when queued_ becomes false
  ProducerState producers_;       // with what is pending
  std::deque<Group> pending_;     // one, and one more for each new segment
  int64_t next_offset_;
  int64_t segment_base_;  // of the segment that the next batch goes to
  int64_t segment_fill_;  // its bytes, with what is pending
  bool queued_ = false;   // the committer has this partition
  std::optional<Error> stopped_;
};

}  // namespace pinflow::log
