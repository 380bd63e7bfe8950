// One stream at work: its state, the puts that are within it, the rates of its shards. Thread-safe. Owned by the
// catalogue and by the requests that found it there.
//
// A put is within (enter, leave) from the choice of its shards until its records are durable. A change (reshard, tags)
// waits until none is, so all records of a parent lie in it before it is closed, and before any of its children's.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kinesis/api/shard_map.h"
#include "kinesis/api/stream.h"
#include "kinesis/service/limits.h"

namespace pinflow::kinesis {

// A stream as it was at some moment.
struct StreamState {
  explicit StreamState(Stream given) : stream(std::move(given)), open(stream) {}
  const Stream stream;
  const ShardMap open;
};
using StatePtr = std::shared_ptr<const StreamState>;

// A put under way.
class PutJob {
 public:
  virtual ~PutJob() = default;
  // Chooses the shards, under the stream's lock: must not block.
  virtual void choose(const StreamState& state, std::vector<ShardRates>& rates) = 0;
  // Appends, without the lock. Ends in one LiveStream::leave().
  virtual void go() = 0;
};

class LiveStream {
 public:
  explicit LiveStream(Stream stream);

  StatePtr now() const;

  // Chooses and goes. While the stream is being changed the job is kept, and goes afterwards on the changing thread.
  enum class Entered { yes, deleted, busy };  // busy: kMaxKept wait
  Entered enter(std::shared_ptr<PutJob> job);
  void leave();

  // `next` makes the next state of it, and stores it, while no put is within. One change at a time: the catalogue's.
  Answer<> change(const std::function<Answer<Stream>(const Stream&)>& next);
  void end();  // deleted

  // Of a read; false where the rates say no.
  bool may_read(int32_t shard, int64_t now_ms);
  void has_read(int32_t shard, size_t bytes);

  static constexpr size_t kMaxKept = 10'000;
  const std::string topic;

 private:
  mutable std::mutex mutex_;
  std::condition_variable left_;
  StatePtr state_;
  std::vector<ShardRates> rates_;  // of each shard
  std::vector<std::shared_ptr<PutJob>> kept_;
  int64_t within_ = 0;
  bool changing_ = false;
  bool ended_ = false;
};

}  // namespace pinflow::kinesis
