// Reads topics of a Kafka cluster, in a group or by hand; librdkafka behind plain values. One thread uses a Consumer:
// every call, and every callback, is on that thread. Nothing is committed but by `commit`.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kafka/client/config.h"

namespace pinflow::kafka {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

// Where to begin reading, beside plain offsets (0 and above).
inline constexpr int64_t kOffsetBeginning = -2;
inline constexpr int64_t kOffsetEnd = -1;
// What the group has committed; where it has nothing, `reset` decides.
inline constexpr int64_t kOffsetStored = -1000;

struct PartitionOffset {
  TopicPartition at;
  int64_t offset = kOffsetStored;  // of the next record to read
};

// [low, high): the offset of the first record that is there, and that of the next record to be written.
struct Watermarks {
  int64_t low = 0;
  int64_t high = 0;
};

struct HeaderView {
  std::string_view name;
  std::optional<std::string_view> value;
};

// One record, or the news that a partition's end has been reached. Views point into librdkafka's buffers.
struct Message {
  std::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;         // of the record; at an end, the offset that the next record will have
  int64_t timestamp_ms = -1;  // -1: none
  bool end_of_partition = false;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<HeaderView> headers;
};

enum class Reset { earliest, latest, none };  // where a partition starts that has no committed (or a lost) offset

struct ConsumerOptions {
  std::string group;  // empty: assignment by hand, nothing can be committed
  std::string client_id = "pinflow";
  Reset reset = Reset::earliest;       // none: such a partition is an error of poll
  int64_t queue_kbytes = 16 << 10;     // records fetched ahead, of all partitions together
  int64_t fetch_bytes = 1 << 20;       // of one partition in one answer; larger records are still read, alone
  int fetch_wait_ms = 100;             // the broker waits so long for news; an end is noticed after that time
  int max_batch = 1000;                // messages given by one poll
  int session_timeout_ms = 10'000;     // without a sign of life the group goes on without us
  int max_poll_interval_ms = 300'000;  // without a poll, likewise
  int metadata_refresh_ms = 5'000;     // how soon a new topic or partition is noticed
};

// Called from within poll, subscribe or close. Any may be empty.
struct RebalanceCallbacks {
  // These partitions are ours from now on; each offset is kOffsetStored and may be changed to where reading shall
  // start. An error makes poll fail with it.
  std::function<Result<>(std::vector<PartitionOffset>& assigned)> assigned;
  // These are still ours while this runs (commit is possible), and not after it.
  std::function<void(const std::vector<TopicPartition>& revoked)> revoked;
  // These were taken from us before we knew: a commit would fail. `revoked` is called instead where this is empty.
  std::function<void(const std::vector<TopicPartition>& lost)> lost;
};

class Consumer {
 public:
  // Connects in the background; a cluster that cannot be reached shows in the calls that need an answer.
  static Result<std::unique_ptr<Consumer>> open(const ClientConfig& config, ConsumerOptions options);
  ~Consumer();  // close()
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Joins the group for these topics, or for all, also future ones, whose whole name the regular expression matches
  // (POSIX extended, with Java's \d, \w, \s and (?:…) as well; other Java constructs are `invalid`; internal topics
  // never match).
  Result<> subscribe(const std::vector<std::string>& topics, RebalanceCallbacks callbacks);
  Result<> subscribe_pattern(const std::string& regex, RebalanceCallbacks callbacks);
  // By hand, without group membership (commits still go to options.group, where there is one). Replaces what was
  // assigned; empty: nothing. Reading starts at each offset.
  Result<> assign(const std::vector<PartitionOffset>& from);

  // Waits at most `timeout` for the first message, then takes what is there. The views hold until the next call of
  // poll, assign or close. Empty: nothing came. Passing faults are retried inside and logged once; an error is one
  // that the caller should know: denied; not_found for a subscribed topic that is not there (told once; polling may go
  // on, until it is); conflict for a lost offset under Reset::none, or when the group has gone on without us.
  Result<std::vector<Message>> poll(std::chrono::milliseconds timeout);

  Result<> seek(const TopicPartition& at, int64_t offset);
  Result<> pause(const std::vector<TopicPartition>& which);  // also throws away what was fetched ahead of them
  Result<> resume(const std::vector<TopicPartition>& which);

  // Returns when the group's coordinator has answered. conflict: the group has gone on without us, so the partition
  // is another's now. unavailable: no answer within `at_most`; it may be committed yet. Each offset is that of the next
  // record to read.
  Result<> commit(const std::vector<PartitionOffset>& next,
                  std::chrono::milliseconds at_most = std::chrono::seconds(10));
  // The group's committed offsets in the order asked for; kOffsetStored where there is none.
  Result<std::vector<PartitionOffset>> committed(const std::vector<TopicPartition>& which);

  Result<Watermarks> watermarks(const TopicPartition& at);
  std::vector<TopicPartition> assignment() const;
  // Names of the cluster's topics and their number of partitions, sorted; internal ones ("__…") left out.
  Result<std::vector<std::pair<std::string, int32_t>>> topics();
  // Empty where the cluster does not tell.
  Result<std::string> cluster_id();

  // Leaves the group (revoked is called) and frees all; later calls fail with cancelled.
  void close();

 private:
  struct State;
  explicit Consumer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::kafka
