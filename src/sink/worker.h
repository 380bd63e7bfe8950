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
#include <string>
#include <thread>
#include <vector>

#include "gate/json_gate.h"
#include "kafka/client/consumer.h"
#include "sink/partition.h"
#include "sink/sink.h"
#include "sink/start.h"
#include "sink/writer_pool.h"

namespace pinflow::sink {

class Sink::Worker {
 public:
  // `consumer` is the group's; `questioner` fetches nothing, so its answers do not wait behind a fetch.
  Worker(SinkOptions options, object::Store& store, kafka::ClientConfig config,
         std::unique_ptr<kafka::Consumer> consumer, std::unique_ptr<kafka::Consumer> questioner);
  ~Worker();

  Result<> start();  // subscribes, and runs the thread
  SinkCounts counts() const;
  std::optional<Error> failure() const;
  Result<> run_until_caught_up();
  void flush() { flush_requested_ = true; }
  Result<> stop();

 private:
  // A partition that is ours, and its files on their way.
  struct Owned {
    std::unique_ptr<Partition> partition;
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
  void take(const std::vector<kafka::Message>& batch);
  void wake_fetcher();
  void close_files();
  Result<> bound_memory();
  Result<> commit(bool now);

  // Rebalances; called by the consumer within poll and close.
  Result<> assigned(std::vector<kafka::PartitionOffset>& partitions);
  void revoked(const std::vector<kafka::TopicPartition>& partitions);
  void lost(const std::vector<kafka::TopicPartition>& partitions);
  Result<Start> begin_with_patience(const kafka::TopicPartition& at);
  void forget(const kafka::TopicPartition& at);

  // Catching up.
  void serve_catch_ups();
  Result<std::map<kafka::TopicPartition, int64_t>> ends_now();
  bool is_reached(const kafka::TopicPartition& at, int64_t target);

  const SinkOptions options_;
  object::Store& store_;
  const kafka::ClientConfig config_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::unique_ptr<kafka::Consumer> questioner_;
  Starter starter_;
  gate::JsonGate gate_;
  WriterPool pool_;
  std::string topic_pattern_;  // for options_.topics_regex

  // Of the thread alone.
  int64_t last_commit_ms_ = 0;
  int64_t last_close_ms_ = 0;
  int64_t last_question_ms_ = 0;  // to the cluster, for catching up
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
