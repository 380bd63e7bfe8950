#include "kafka/broker/local_writer.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/clock.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/partitioner.h"
#include "kafka/broker/services.h"
#include "kafka/broker/topic_config.h"
#include "log/batch.h"

namespace pinflow::kafka {
namespace {

using HeaderViews = std::vector<std::pair<std::string_view, std::optional<std::string_view>>>;

constexpr size_t kRecordOverhead = 40;  // at most: length, attributes, deltas, key and value lengths, header count
constexpr size_t kHeaderOverhead = 12;

HeaderViews views(const std::vector<Header>& headers) {
  HeaderViews all;
  all.reserve(headers.size());
  for (const auto& header : headers) all.emplace_back(header.name, header.value);
  return all;
}

size_t greatest_size(const NewRecord& record) {
  size_t size = kRecordOverhead + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const auto& header : record.headers) {
    size += kHeaderOverhead + header.name.size() + (header.value ? header.value->size() : 0);
  }
  return size;
}

void add(log::BatchBuilder& batch, const NewRecord& record, int64_t time_ms) {
  static const HeaderViews none;
  if (record.headers.empty()) batch.add(time_ms, record.key, record.value, none);
  else batch.add(time_ms, record.key, record.value, views(record.headers));
}

Written refused(KafkaError error, std::string message, int32_t partition = -1) {
  return {error, std::move(message), partition, -1};
}

Written refused(const Error& error, int32_t partition) {
  const KafkaError code = error.code == Code::full ? KafkaError::throttling_quota_exceeded : append_error(error);
  return refused(code, error.message, partition);
}

Written too_large(size_t bytes, int64_t max_bytes, int32_t partition) {
  return refused(
      KafkaError::message_too_large,
      fmt::format("a record that makes a batch of {} bytes: the topic takes {} (max.message.bytes)", bytes, max_bytes),
      partition);
}

Written no_partition(const std::string& topic, int32_t partition, int32_t partitions) {
  return refused(KafkaError::unknown_topic_or_partition,
                 fmt::format("topic {} has no partition {}: it has {}", topic, partition, partitions), partition);
}

// One call whose batches are on their way to the disk.
struct Pending {
  Pending(size_t records, TopicWriter::Done then) : written(records), done(std::move(then)) {}
  std::vector<Written> written;
  TopicWriter::Done done;
  std::atomic<size_t> left = 1;  // batches not yet done, and 1 until all are handed over
  void one_done() {
    if (left.fetch_sub(1) == 1) done(std::move(written));
  }
};

}  // namespace

int32_t LocalTopicWriter::partition_for(const NewRecord& record, int32_t partitions, uint32_t turn) const {
  if (record.partition) return *record.partition;
  if (record.key) return partition_of_key(*record.key, partitions);
  return static_cast<int32_t>(turn % static_cast<uint32_t>(partitions));
}

void LocalTopicWriter::write(std::string topic, std::vector<NewRecord> records, Done done) {
  if (records.size() == 1) write_one(topic, records.front(), std::move(done));
  else write_many(topic, records, std::move(done));
}

void LocalTopicWriter::write_one(const std::string& topic, const NewRecord& record, Done done) {
  const auto known = topics_.find_or_create(topic);
  if (!known) return done({refused(known.error().error, known.error().message)});
  const int32_t partition = partition_for(record, known->partitions, turn_.fetch_add(1, std::memory_order_relaxed));
  if (partition < 0 || partition >= known->partitions) return done({no_partition(topic, partition, known->partitions)});
  const int64_t time_ms = now_ms();
  log::BatchBuilder builder(time_ms);
  add(builder, record, time_ms);
  std::string batch = builder.finish();
  if (static_cast<int64_t>(batch.size()) > known->max_message_bytes) {
    return done({too_large(batch.size(), known->max_message_bytes, partition)});
  }
  log_.append(topic, partition, std::move(batch), [partition, done = std::move(done)](Result<log::Appended> appended) {
    if (appended) return done({Written{KafkaError::none, {}, partition, appended->base_offset}});
    done({refused(appended.error(), partition)});
  });
}

void LocalTopicWriter::write_many(const std::string& topic, const std::vector<NewRecord>& records, Done done) {
  const auto pending = std::make_shared<Pending>(records.size(), std::move(done));
  const auto known = records.empty() ? TopicCatalog::Topic{} : topics_.find_or_create(topic);
  if (!known) {
    std::ranges::fill(pending->written, refused(known.error().error, known.error().message));
    return pending->one_done();
  }
  const uint32_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
  std::vector<std::pair<int32_t, size_t>> order;  // partition and place in `records`
  order.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    const int32_t partition = partition_for(records[i], known->partitions, turn);
    const size_t size = log::kBatchHeaderBytes + greatest_size(records[i]);
    if (partition < 0 || partition >= known->partitions) {
      pending->written[i] = no_partition(topic, partition, known->partitions);
    } else if (static_cast<int64_t>(size) > known->max_message_bytes) {
      pending->written[i] = too_large(size, known->max_message_bytes, partition);
    } else {
      order.emplace_back(partition, i);
    }
  }
  std::ranges::stable_sort(order, {}, &std::pair<int32_t, size_t>::first);

  const int64_t time_ms = now_ms();
  for (size_t first = 0; first < order.size();) {
    const int32_t partition = order[first].first;
    log::BatchBuilder batch(time_ms);
    std::vector<size_t> places;
    size_t next = first;
    for (; next < order.size() && order[next].first == partition; ++next) {
      const NewRecord& record = records[order[next].second];
      if (next > first && static_cast<int64_t>(batch.bytes() + greatest_size(record)) > known->max_message_bytes) break;
      add(batch, record, time_ms);
      places.push_back(order[next].second);
    }
    first = next;
    ++pending->left;
    log_.append(topic, partition, batch.finish(),
                [pending, partition, places = std::move(places)](Result<log::Appended> appended) {
                  for (size_t i = 0; i < places.size(); ++i) {
                    pending->written[places[i]] =
                        appended
                            ? Written{KafkaError::none, {}, partition, appended->base_offset + static_cast<int64_t>(i)}
                            : refused(appended.error(), partition);
                  }
                  pending->one_done();
                });
  }
  pending->one_done();
}

std::expected<std::vector<std::string>, TopicFailure> LocalTopicWriter::list_topics() {
  std::vector<std::string> names;
  for (auto& topic : log_.topics()) {
    if (!topic.name.starts_with("__")) names.push_back(std::move(topic.name));
  }
  return names;
}

std::expected<TopicInfo, TopicFailure> LocalTopicWriter::describe_topic(const std::string& name) {
  const auto topic = log_.find_topic(name);
  if (!topic) {
    return std::unexpected(
        TopicFailure{KafkaError::unknown_topic_or_partition, fmt::format("there is no topic {}", name)});
  }
  TopicInfo info;
  info.name = name;
  for (int32_t partition = 0; partition < topic->partitions; ++partition) {
    info.partitions.push_back({partition, kNodeId, {kNodeId}, {kNodeId}});
  }
  for (const auto& [config, value] : topic_config_values(topic->config, topics_.rules().max_message_bytes)) {
    info.configs.emplace_back(config, value);
  }
  return info;
}

}  // namespace pinflow::kafka
