// One stream's worker: a thread that takes the lease, finishes what its predecessor left, and then makes micro-batches
// of what comes, until it is stopped. Passing faults (a store or a service that does not answer, another worker that
// was faster) begin it anew from what the lake says, after a while; others end it (failure).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/error.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "stream/batch.h"
#include "stream/counts.h"
#include "stream/engine.h"
#include "stream/feed.h"
#include "stream/lease.h"
#include "stream/plan.h"
#include "stream/plan_run.h"
#include "stream/streams.h"

namespace pinflow::stream {

class Worker {
 public:
  // All of these outlive it, but for the feed.
  Worker(const pipeline::Pipeline& pipeline, object::Store& store, Engine& engine, FeedOfRecords feed,
         const StreamOptions& options);
  ~Worker();  // stop(), join()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();

  // ---- any thread ---------------------------------------------------------------------------------------------------

  void stop();  // behind the micro-batch that it is at; join() waits for it
  void join();
  // What had arrived before this time shall be in the tables as soon as may be.
  void hurry(int64_t until_ms);
  // It is.
  bool complete(int64_t until_ms) const;
  FeedCounts counts() const;
  std::optional<Error> failure() const;
  // How long another worker has had the lease; 0 where we have it.
  std::chrono::milliseconds waiting() const;
  std::string holder() const;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  Result<> session();
  Result<bool> wait_for_lease();
  bool is_hurried() const;
  Result<> open();                    // what the lake holds: the last plan, the tables
  Result<> begin();                   // reading, where the plans end
  Result<> finish(const Plan& plan);  // that a predecessor left
  Result<> work();                    // micro-batches, until something ends it
  Result<bool> gather(Batch& batch, Clock::time_point due);
  void note_progress();
  Result<> carry_out(Batch& batch);
  void take(const PlanCounts& counts, const Plan& plan);
  bool pause(std::chrono::milliseconds at_most);  // true: stop

  // worker_anew.cc
  Result<> begin_anew();
  Result<Error> why_anew();
  Result<> probe();
  std::string hint() const;
  std::unexpected<Error> of_feed(const Error& error) const;

  const pipeline::Pipeline& pipeline_;
  object::Store& store_;
  Engine& engine_;
  const std::unique_ptr<Feed> feed_;
  const std::string key_;
  const Routes routes_;
  const StreamOptions options_;

  // Of the thread.
  Lease lease_;
  std::unique_ptr<Workplace> place_;
  std::unique_ptr<Reading> reading_;
  std::optional<Plan> last_;                  // done
  std::optional<Plan> unfinished_;            // the one behind it
  std::map<std::string, Progress> progress_;  // behind last_, or behind what was gathered
  int64_t next_number_ = 1;                   // of the next plan
  int64_t first_plan_ = 1;                    // stays for ever
  int64_t lowest_plan_ = 0;                   // that is still there, but for the first
  bool anew_ = false;                         // asked for, and not yet done
  int conflicts_ = 0;                         // in a row
  int64_t handed_out_ms_ = 0;                 // all that arrived before was handed out

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  int64_t hurry_ms_ = 0;
  Reading* woken_ = nullptr;  // by stop() and hurry()
  FeedCounts counts_;
  std::optional<Error> failure_;
  std::optional<Clock::time_point> waiting_since_;
  std::string holder_;

  std::thread thread_;
};

}  // namespace pinflow::stream
