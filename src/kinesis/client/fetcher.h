// The thread behind a reader: lists shards, starts children behind their parents, fetches ahead into a queue, paces
// itself, recognises what must end the reading (reader.h). Everything but the queue, release and wake belongs to the
// thread that calls run().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kinesis/client/courier.h"
#include "kinesis/client/reader.h"
#include "kinesis/client/shard_fetch.h"
#include "kinesis/client/shard_queue.h"

namespace pinflow::kinesis {

class Fetcher {
 public:
  Fetcher(ReaderOptions options, std::unique_ptr<Courier> courier, bool is_aws, StreamSummary summary);

  // The shards as they are when the reading begins. corrupt: one that was read before, and not to its end, is gone.
  Result<> begin(const std::vector<ListedShard>& shards);
  // Fetches until stop().
  void run();

  // ---- any thread
  // -----------------------------------------------------------------------------------------------------

  void stop();
  void release(const std::string& shard);
  // There may be room again; with `an_end` a shard's end was handed out.
  void taken(bool an_end) {
    if (starved_.exchange(false) || an_end) courier_->wake();
  }
  ShardQueue& queue() { return queue_; }

 private:
  using Clock = ShardFetch::Clock;
  using State = ShardFetch::State;

  // fetcher.cc
  void take_releases();
  void start_shards();
  Clock::time_point fetch_due();
  bool has_room() const;
  void ask_iterator(ShardFetch& shard);
  void fetch(ShardFetch& shard);
  void on_iterator(ShardFetch& shard, CallOutcome outcome);
  void on_records(ShardFetch& shard, CallOutcome outcome, Clock::time_point began, int64_t began_ms);
  bool accept(ShardFetch& shard, GetRecordsAnswer& answer, int64_t began_ms);
  void renew(ShardFetch& shard);
  void refused(ShardFetch& shard, const Reply& reply, std::string_view what);
  void no_answer(ShardFetch& shard, const Error& error);
  void set_trouble(const std::string& trouble);
  int64_t oldest_kept_ms() const;

  // fetcher_list.cc
  void list();
  void on_summary(CallOutcome outcome);
  void on_shards(CallOutcome outcome);
  void list_failed(const CallOutcome& outcome, std::string_view what);
  Result<> merge(const std::vector<ListedShard>& shards, bool first);
  void suspect(Error error);
  void fail_with(Error error);

  const ReaderOptions options_;
  const std::unique_ptr<Courier> courier_;
  const std::chrono::milliseconds least_, idle_;
  StreamSummary summary_;
  std::map<std::string, ShardFetch> shards_;
  ShardQueue queue_;

  bool listing_ = false;
  bool list_again_ = false;     // a shard has ended: its children are to be found
  bool children_known_ = true;  // those of all shards that have ended
  Clock::time_point next_list_;
  std::vector<ListedShard> listed_;  // the pages so far
  std::optional<Error> suspicion_;   // what ends the reading, unless the next listing tells better why
  size_t fetches_ = 0;               // GetRecords under way
  size_t answer_bytes_ = 64 << 10;   // what an answer brings, of late
  std::string trouble_;
  bool failed_ = false;

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> starved_ = false;  // something is due, and there is no room
  std::mutex mutex_;                   // guards:
  std::vector<std::string> releases_;
};

// conflict where the stream was made anew since `before`.
Result<> same_stream(std::string_view stream, const StreamIdentity& before, const StreamIdentity& now);

}  // namespace pinflow::kinesis
