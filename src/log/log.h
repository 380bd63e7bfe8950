// The log: topics of partitions on disk, each a sequence of Kafka record batches (format v2) with consecutive
// offsets. What an append was acknowledged for survives kill -9 and power loss; what was not may be cut at the next
// open. One process owns the folder (it holds a lock on it). Thread-safe: any thread may call anything.
//
//   DIR/.lock
//   DIR/cluster.json                      identity of this log: {"cluster_id":"…"}
//   DIR/producer_ids.json                 the first producer id that was never given: {"next":1000}
//   DIR/topics/<topic>/topic.json         {"topic_id":"…","partitions":3,"config":{…}}
//   DIR/topics/<topic>/<partition>/       segments: <first offset, 20 digits>.log, .index; see partition_files.h
//
// Durability: appends are gathered, written and fsynced together (group commit); an append is acknowledged, and
// visible to readers, when its bytes are on the disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::log {

struct LogOptions {
  int64_t segment_bytes = 256 << 20;   // a segment is closed when it grows over this
  int64_t pending_bytes = 64 << 20;    // not yet durable, all partitions together: above it appends fail with `full`
  int64_t max_batch_bytes = 17 << 20;  // a larger batch is refused with `invalid`
  bool fsync = true;                   // off: durable against kill -9 only, not against power loss
  std::chrono::milliseconds retention_check{30'000};
};

struct TopicConfig {
  int64_t retention_ms = -1;                  // -1: for ever. Kafka's retention.ms
  int64_t retention_bytes = -1;               // of each partition; -1: no bound. Kafka's retention.bytes
  int64_t segment_bytes = -1;                 // -1: the log's
  std::map<std::string, std::string> others;  // other Kafka configs, kept and given back, without effect
};

struct TopicDescription {
  std::string name;
  std::string topic_id;  // 16 bytes, raw; new for each topic made, also under an old name
  int32_t partitions = 0;
  TopicConfig config;
};

struct Offsets {
  int64_t start = 0;  // first offset still there (retention moves it)
  int64_t end = 0;    // one past the last durable record: the high watermark
};

struct Appended {
  int64_t base_offset = 0;
  int64_t append_time_ms = 0;
};

struct TimedOffset {
  int64_t offset = -1;
  int64_t timestamp_ms = -1;
};

class Log {
 public:
  static Result<std::unique_ptr<Log>> open(std::filesystem::path dir, LogOptions options);
  virtual ~Log() = default;  // waits for what is pending, then closes

  virtual const std::string& cluster_id() const = 0;  // 22 characters, as Kafka's

  // already_exists; invalid for a name that Kafka forbids ([a-zA-Z0-9._-]{1,249}, not "." or "..").
  virtual Result<TopicDescription> create_topic(const std::string& name, int32_t partitions, TopicConfig config) = 0;
  virtual Result<> delete_topic(const std::string& name) = 0;                     // not_found
  virtual Result<> add_partitions(const std::string& name, int32_t total) = 0;    // not_found, invalid
  virtual Result<> alter_topic(const std::string& name, TopicConfig config) = 0;  // not_found
  virtual std::vector<TopicDescription> topics() const = 0;                       // sorted by name
  virtual std::optional<TopicDescription> find_topic(const std::string& name) const = 0;

  // Called exactly once: before `append` returns where the batch is refused at once, else on a committing thread of
  // the log, where never two are called at a time. Must not block, and must not delete topics.
  using Done = std::function<void(Result<Appended>)>;

  // Appends one record batch (whole, CRC right, any compression), its base offset set here. Checks length, magic,
  // CRC, record count, and for an idempotent producer its epoch and sequence:
  //   invalid     not one whole batch; corrupt: CRC; full: pending_bytes or the disk; not_found: topic or partition;
  //   conflict    out of order sequence (a repeat of one of the last five batches is acknowledged with its old offset);
  //   denied      a producer epoch older than the one seen.
  virtual void append(const std::string& topic, int32_t partition, std::string batch, Done done) = 0;

  // Whole batches from the one that holds `offset`, at most max_bytes but at least one batch; empty at the end.
  // not_found, or invalid where offset < start or offset > end ("out of range").
  virtual Result<std::string> read(const std::string& topic, int32_t partition, int64_t offset, int64_t max_bytes) = 0;

  virtual Result<Offsets> offsets(const std::string& topic, int32_t partition) const = 0;
  // The first record whose timestamp is at least `timestamp_ms`; offset -1 where there is none.
  virtual Result<TimedOffset> offset_for_time(const std::string& topic, int32_t partition, int64_t timestamp_ms) = 0;
  // Forgets records before `offset` (Kafka's DeleteRecords). invalid above the end.
  virtual Result<> delete_records(const std::string& topic, int32_t partition, int64_t offset) = 0;

  // Blocks until some partition of some topic has grown since `seen` (a number got from growth()), or the time is
  // over; returns the new number. For long polls of fetch.
  virtual uint64_t growth() const = 0;
  virtual uint64_t wait_for_growth(uint64_t seen, std::chrono::milliseconds at_most) = 0;

  // A producer id never given before by this log.
  virtual Result<int64_t> new_producer_id() = 0;
};

}  // namespace pinflow::log
