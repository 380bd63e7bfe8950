#include "log/log.h"

#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/logging.h"
#include "log/identity.h"
#include "log/open.h"
#include "log/partition.h"
#include "log/segment.h"
#include "log/topic_file.h"
#include "log/topics.h"

namespace pinflow::log {
namespace fs = std::filesystem;

namespace {

constexpr int kCommittingThreads = 4;       // fsyncs at a time
constexpr size_t kOpenClosedSegments = 64;  // their files, and up to 16 MiB of indexes of 256 MiB segments

Result<> check_options(const LogOptions& options) {
  if (options.segment_bytes < 1 || options.segment_bytes > kMaxSegmentBytes) {
    return invalid("the log's segment_bytes is {}: give 1 to {}", options.segment_bytes, kMaxSegmentBytes);
  }
  if (options.pending_bytes < 1) return invalid("the log's pending_bytes is {}: give more", options.pending_bytes);
  if (options.max_batch_bytes < static_cast<int64_t>(kBatchHeaderBytes)) {
    return invalid("the log's max_batch_bytes is {}: give more", options.max_batch_bytes);
  }
  return {};
}

// What can be seen of a batch alone.
Result<BatchHeader> check_append(std::string_view batch, int64_t max_bytes) {
  if (static_cast<int64_t>(batch.size()) > max_bytes) {
    return invalid("the record batch has {} bytes, at most {} are taken", batch.size(), max_bytes);
  }
  auto header = check_batch(batch);
  if (!header) return header;
  if (header->bytes() != static_cast<int64_t>(batch.size())) {
    return invalid("{} bytes follow the record batch", static_cast<int64_t>(batch.size()) - header->bytes());
  }
  if (header->record_count < 1 || header->last_offset_delta != header->record_count - 1) {
    return invalid("the record batch has {} records but offsets up to {}", header->record_count,
                   header->last_offset_delta);
  }
  return header;
}

class DiskLog final : public Log {
 public:
  DiskLog(fs::path folder, LogOptions options, FolderLock lock, std::unique_ptr<FileCalls> calls)
      : folder_(std::move(folder)),
        lock_(std::move(lock)),
        calls_(std::move(calls)),
        shared_(options, kCommittingThreads),
        topics_(folder_ / "topics", shared_, *calls_, closed_segments_),
        producer_ids_(folder_) {}

  ~DiskLog() override {
    {
      const std::lock_guard lock(stop_mutex_);
      stopping_ = true;
    }
    stop_changed_.notify_all();
    if (retention_.joinable()) retention_.join();
    const Error closing{Code::cancelled, "the log is closing"};
    const auto topics = topics_.all();
    for (const auto& topic : topics) {
      for (const auto& partition : topic->partitions) partition->stop(closing, false);
    }
    shared_.committer.stop();
    for (const auto& topic : topics) {
      for (const auto& partition : topic->partitions) partition->close();
    }
  }

  Result<> open() {
    auto id = load_cluster_id(folder_);
    if (!id) return pass(id.error());
    cluster_id_ = std::move(*id);
    if (auto loaded = producer_ids_.load(); !loaded) return loaded;
    if (auto opened = topics_.open(); !opened) return opened;
    retention_ = std::thread([this] { retain(); });
    return {};
  }

  const std::string& cluster_id() const override { return cluster_id_; }

  Result<TopicDescription> create_topic(const std::string& name, int32_t partitions, TopicConfig config) override {
    return topics_.create(name, partitions, std::move(config));
  }
  Result<> delete_topic(const std::string& name) override { return topics_.remove(name); }
  Result<> add_partitions(const std::string& name, int32_t total) override {
    return topics_.add_partitions(name, total);
  }
  Result<> alter_topic(const std::string& name, TopicConfig config) override {
    return topics_.alter(name, std::move(config));
  }

  std::vector<TopicDescription> topics() const override {
    std::vector<TopicDescription> descriptions;
    for (const auto& topic : topics_.all()) descriptions.push_back(topic->description);
    return descriptions;
  }
  std::optional<TopicDescription> find_topic(const std::string& name) const override {
    const auto topic = topics_.find(name);
    if (!topic) return std::nullopt;
    return topic->description;
  }

  void append(const std::string& topic, int32_t partition, std::string batch, Done done) override {
    auto header = check_append(batch, shared_.options.max_batch_bytes);
    if (!header) return done(pass(header.error()));
    auto found = topics_.partition(topic, partition);
    if (!found) return done(pass(found.error()));
    if (auto put = (*found)->append(*header, std::move(batch), done); !put) done(pass(put.error()));
  }

  Result<std::string> read(const std::string& topic, int32_t partition, int64_t offset, int64_t max_bytes) override {
    auto found = topics_.partition(topic, partition);
    if (!found) return pass(found.error());
    return (*found)->files().read(offset, max_bytes);
  }

  Result<Offsets> offsets(const std::string& topic, int32_t partition) const override {
    auto found = topics_.partition(topic, partition);
    if (!found) return pass(found.error());
    const auto& files = (*found)->files();
    const int64_t start = files.start();  // first: it never passes an end that is read later
    return Offsets{start, files.end()};
  }

  Result<TimedOffset> offset_for_time(const std::string& topic, int32_t partition, int64_t timestamp_ms) override {
    auto found = topics_.partition(topic, partition);
    if (!found) return pass(found.error());
    return (*found)->files().offset_for_time(timestamp_ms);
  }

  Result<> delete_records(const std::string& topic, int32_t partition, int64_t offset) override {
    auto found = topics_.partition(topic, partition);
    if (!found) return pass(found.error());
    return (*found)->files().delete_before(offset);
  }

  uint64_t growth() const override { return shared_.growth.load(std::memory_order_acquire); }

  uint64_t wait_for_growth(uint64_t seen, std::chrono::milliseconds at_most) override {
    std::unique_lock lock(shared_.growth_mutex);
    shared_.growth_changed.wait_for(lock, at_most, [&] { return growth() != seen; });
    return growth();
  }

  Result<int64_t> new_producer_id() override { return producer_ids_.next(); }

 private:
  void retain() {
    std::unique_lock lock(stop_mutex_);
    while (!stop_changed_.wait_for(lock, shared_.options.retention_check, [&] { return stopping_; })) {
      lock.unlock();
      for (const auto& topic : topics_.all()) {
        const auto& config = topic->description.config;
        for (const auto& partition : topic->partitions) {
          auto retained = partition->files().retain(now_ms(), config.retention_ms, config.retention_bytes);
          // A topic that was deleted meanwhile has no folder any more.
          if (!retained && topics_.find(topic->description.name)) warn("log: retention: {}", retained.error().message);
        }
      }
      lock.lock();
    }
  }

  const fs::path folder_;
  const FolderLock lock_;
  const std::unique_ptr<FileCalls> calls_;
  OpenSegments closed_segments_{kOpenClosedSegments};
  Shared shared_;
  Topics topics_;
  ProducerIds producer_ids_;
  std::string cluster_id_;

  std::mutex stop_mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  std::thread retention_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_log(fs::path folder, LogOptions options, std::unique_ptr<FileCalls> calls) {
  if (auto checked = check_options(options); !checked) return pass(checked.error());
  auto lock = FolderLock::take(folder);
  if (!lock) return pass(lock.error(), "opening the log");
  auto log = std::make_unique<DiskLog>(std::move(folder), options, std::move(*lock), std::move(calls));
  if (auto opened = log->open(); !opened) return pass(opened.error(), "opening the log");
  return log;
}

Result<std::unique_ptr<Log>> Log::open(fs::path dir, LogOptions options) {
  return open_log(std::move(dir), options, std::make_unique<FileCalls>());
}

}  // namespace pinflow::log
