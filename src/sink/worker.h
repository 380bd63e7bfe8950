// The thread of a Sink: polls, gates, closes files, commits. Private to the room; the contracts are in sink.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "connect/encoding.h"
#include "gate/json_gate.h"
#include "kafka/client/consumer.h"
#include "sink/intake.h"
#include "sink/plan_writer.h"
#include "sink/sink.h"
#include "sink/small_objects.h"
#include "sink/start.h"
#include "sink/writer_pool.h"

namespace pinflow::sink {

// What the workers of one sink have in common. Outlives them.
struct Sink::Shared {
  Shared(SinkOptions given, object::Store& to, kafka::ClientConfig cluster)
      : options(std::move(given)),
        store(to),
        config(std::move(cluster)),
        pool(options.writers, options.wait_when_denied) {}

  const SinkOptions options;
  object::Store& store;
  const kafka::ClientConfig config;
  std::string fingerprint;  // of all that changes bytes or names; empty: chains
  Finish finish;            // by plans
  std::unique_ptr<kafka::TopicWriter> dead_letters;
  std::atomic<int64_t> open_bytes{0};  // of all files in progress
  int tasks = 1;
  SmallObjects small;
  WriterPool pool;
};

class Sink::Worker {
 public:
  // `consumer` is the group's; `questioner` fetches nothing, so its answers do not wait behind a fetch. `encoding` is
  // there when there are plans.
  Worker(Shared& shared, std::optional<connect::Encoding> encoding, std::unique_ptr<kafka::Consumer> consumer,
         std::unique_ptr<kafka::Consumer> questioner);
  ~Worker();

  Result<> start();  // subscribes, and runs the thread
  SinkCounts counts() const;
  std::optional<Error> failure() const;
  Result<> run_until_caught_up();
  void flush() { flush_requested_ = true; }
  void request_stop() { stopping_ = true; }
  Result<> stop();

 private:
  // A partition that is ours, and its files on their way.
  struct Owned {
    std::unique_ptr<Intake> partition;
    std::shared_ptr<Outbox> outbox;
    int64_t committed = -1;  // by us
    int64_t unseen = 0;      // bytes taken since the fetcher was woken
    int64_t done() const;    // all before it is durable
  };
  // Somebody waits for the topics' ends of now to be in the lake. Its targets are filled by the thread.
  struct CatchUp {
    std::optional<std::map<kafka::TopicPartition, int64_t>> targets;
    bool done = false;
  };

  void run();
  void end();
  Result<> turn();
  Result<> take(const std::vector<kafka::Message>& batch);
  void wake_fetcher();
  void close_files();
  Result<> bound_memory();
  void close_largest(int64_t down_to);
  Result<> begin_again();
  Result<> commit(bool now);

  // Rebalances; called by the consumer within poll and close.
  Result<> assigned(std::vector<kafka::PartitionOffset>& partitions);
  void revoked(const std::vector<kafka::TopicPartition>& partitions);
  void lost(const std::vector<kafka::TopicPartition>& partitions);
  Result<Start> begin_with_patience(const kafka::TopicPartition& at);
  void own(const kafka::TopicPartition& at, Start start);
  void forget(const kafka::TopicPartition& at);

  // Catching up.
  void serve_catch_ups();
  Result<std::map<kafka::TopicPartition, int64_t>> ends_now();
  std::optional<bool> is_reached(const kafka::TopicPartition& at, int64_t target);

  Shared& shared_;
  const SinkOptions& options_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::unique_ptr<kafka::Consumer> questioner_;
  Starter starter_;
  gate::JsonGate gate_;
  std::optional<connect::Encoding> encoding_;
  WriterPool& pool_;
  std::string topic_pattern_;  // for options_.topics_regex

  // Of the thread alone.
  int64_t last_commit_ms_ = 0;
  int64_t last_close_ms_ = 0;
  int64_t last_question_ms_ = 0;               // to the cluster, for catching up
  int64_t open_bytes_ = 0;                     // our part of the shared number
  std::set<kafka::TopicPartition> overtaken_;  // and not begun again yet
  bool paused_ = false;
  bool ever_assigned_ = false;
  std::optional<Error> start_failure_;
  std::string said_;  // the last passing trouble that was said

  std::atomic<bool> flush_requested_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> catching_up_{false};

  mutable std::mutex mutex_;  // of what follows; the thread holds it while it takes records
  std::condition_variable changed_;
  std::map<kafka::TopicPartition, Owned> owned_;
  SinkCounts gone_;                // of partitions that are no longer ours
  std::list<CatchUp*> catch_ups_;  // each lives on the stack of who waits
  std::optional<Error> failure_;
  std::optional<Result<>> ended_;  // what stop() returns
  std::jthread thread_;
};

}  // namespace pinflow::sink
