#include "stream/kafka_feed.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/logging.h"
#include "kafka/client/consumer.h"
#include "kafka/client/identity.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{20};               // a wait for messages between two looks at wake()
constexpr int64_t kSeeEnds = 200;               // ms, while records come
constexpr int64_t kLookForPartitions = 30'000;  // ms

int64_t number_of(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The offset behind a position.
int64_t next_offset(const std::string& after) { return after.empty() ? 0 : number_of(after) + 1; }

// Messages of one poll, copied: librdkafka's live until the next one only.
struct Copies {
  std::string bytes;
};

struct Piece {
  size_t position = 0, position_size = 0, key = 0, key_size = 0, data = 0, data_size = 0;
  int64_t arrived_ms = 0;
};

// Of one partition.
class BlockMaker {
 public:
  void add(const kafka::Message& message) {
    Piece piece;
    const std::string position = std::to_string(message.offset);
    const std::string_view key = message.key.value_or(""), data = message.value.value_or("");
    piece.position = copies_->bytes.size();
    piece.position_size = position.size();
    piece.key = piece.position + position.size();
    piece.key_size = key.size();
    piece.data = piece.key + key.size();
    piece.data_size = data.size();
    piece.arrived_ms = std::max<int64_t>(message.timestamp_ms, 0);
    copies_->bytes.append(position).append(key).append(data);
    bytes_ += key.size() + data.size();
    pieces_.push_back(piece);
  }
  size_t bytes() const { return bytes_; }
  FeedBlock finish(std::string shard) && {
    FeedBlock block;
    block.shard = std::move(shard);
    const std::string_view all = copies_->bytes;
    for (const Piece& piece : pieces_) {
      block.records.push_back({all.substr(piece.position, piece.position_size), all.substr(piece.key, piece.key_size),
                               all.substr(piece.data, piece.data_size), piece.arrived_ms});
    }
    block.bytes = bytes_;
    block.owner = std::move(copies_);
    return block;
  }

 private:
  std::shared_ptr<Copies> copies_ = std::make_shared<Copies>();
  std::vector<Piece> pieces_;
  size_t bytes_ = 0;
};

std::unexpected<Error> gone(const std::string& topic, int32_t partition, int64_t from, const kafka::Watermarks& marks) {
  if (from > marks.high) {
    return corrupt("{}/{}: read up to offset {}, but it ends at {}: the topic's log was lost or made anew", topic,
                   partition, from - 1, marks.high - 1);
  }
  return corrupt(
      "{}/{}: the offsets {} to {} were deleted by the topic's retention before they were read: {} records are lost",
      topic, partition, from, marks.low - 1, marks.low - from);
}

kafka::ConsumerOptions reader_options(size_t buffer_bytes) {
  kafka::ConsumerOptions options;
  options.client_id = "pinflow-stream";
  options.reset = kafka::Reset::none;
  options.queue_kbytes = static_cast<int64_t>(std::max<size_t>(buffer_bytes >> 10, 1024));
  options.fetch_wait_ms = 20;
  options.max_batch = 10'000;
  return options;
}

class KafkaReading final : public Reading {
 public:
  KafkaReading(std::unique_ptr<kafka::Consumer> consumer, std::unique_ptr<kafka::Consumer> questioner,
               std::string topic, Identity identity, std::map<std::string, Progress> progress)
      : consumer_(std::move(consumer)),
        questioner_(std::move(questioner)),
        topic_(std::move(topic)),
        identity_(std::move(identity)),
        progress_(std::move(progress)) {}

  // Assigns the topic's partitions, each from where it was read to.
  Result<> assign() {
    looked_ms_ = now_ms();
    auto topics = questioner_->topics();
    if (!topics) return pass(topics.error());
    const auto found = std::ranges::find(*topics, topic_, &std::pair<std::string, int32_t>::first);
    if (found == topics->end()) return not_found("there is no topic '{}'", topic_);
    if (found->second == partitions_) return {};
    std::vector<kafka::PartitionOffset> from;
    for (int32_t partition = 0; partition < found->second; ++partition) {
      const kafka::TopicPartition at{topic_, partition};
      auto marks = questioner_->watermarks(at);
      if (!marks) return pass(marks.error());
      const Progress& where = progress_[std::to_string(partition)];
      int64_t offset = next_offset(where.after);
      if (where.after.empty()) offset = marks->low;
      else if (offset < marks->low || offset > marks->high) return gone(topic_, partition, offset, *marks);
      from.push_back({at, offset});
    }
    partitions_ = found->second;
    at_end_.clear();
    return consumer_->assign(from);
  }

  Result<std::vector<FeedBlock>> read(const ReadLimits& limits) override {
    if (now_ms() - looked_ms_ > kLookForPartitions) {
      if (auto assigned = assign(); !assigned && assigned.error().code != Code::unavailable)
        return pass(assigned.error());
    }
    const auto deadline = std::chrono::steady_clock::now() + limits.wait;
    std::map<int32_t, BlockMaker> blocks;
    size_t records = 0, bytes = 0;
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
      auto messages = consumer_->poll(records > 0 ? milliseconds(0) : std::clamp(left, milliseconds(0), kPoll));
      if (!messages) return pass(messages.error(), "reading the topic {}", topic_);
      for (const kafka::Message& message : *messages) {
        if (message.end_of_partition) {
          ends_[message.partition] = message.offset;
          continue;
        }
        blocks[message.partition].add(message);
        ++records;
        bytes += message.value.value_or("").size();
        progress_[std::to_string(message.partition)].after = std::to_string(message.offset);
      }
      const bool over = std::chrono::steady_clock::now() >= deadline;
      if (records >= limits.records || bytes >= limits.bytes || woken_.exchange(false) || over) break;
      if (records > 0 && messages->empty()) break;
    }
    if (records == 0 || now_ms() - seen_ms_ > kSeeEnds) see_ends();
    std::vector<FeedBlock> out;
    for (auto& [partition, maker] : blocks) out.push_back(std::move(maker).finish(std::to_string(partition)));
    return out;
  }

  void release(const std::string&) override {}
  void wake() override { woken_ = true; }
  const Identity& identity() const override { return identity_; }
  int64_t complete_ms() const override {
    if (partitions_ == 0 || at_end_.size() < static_cast<size_t>(partitions_)) return 0;
    int64_t least = INT64_MAX;
    for (const auto& [partition, ms] : at_end_) least = std::min(least, ms);
    return least;
  }
  std::map<std::string, int64_t> complete_ms_by_shard() const override {
    std::map<std::string, int64_t> out;
    for (const auto& [partition, ms] : at_end_) out[std::to_string(partition)] = ms;
    return out;
  }
  std::string trouble() const override { return {}; }

 private:
  // What was handed out reaches to the end that the broker tells now. Behind the last record there may be offsets
  // without one (transactions' marks, compaction): then the end was told when it was reached.
  void see_ends() {
    seen_ms_ = now_ms();
    for (int32_t partition = 0; partition < partitions_; ++partition) {
      const int64_t asked = now_ms();
      const auto marks = questioner_->watermarks({topic_, partition});
      if (!marks) continue;
      const Progress& where = progress_[std::to_string(partition)];
      const int64_t next = where.after.empty() ? marks->low : next_offset(where.after);
      if (std::max(next, ends_[partition]) >= marks->high) at_end_[partition] = asked;
    }
  }

  const std::unique_ptr<kafka::Consumer> consumer_, questioner_;
  const std::string topic_;
  const Identity identity_;
  std::map<std::string, Progress> progress_;
  int32_t partitions_ = 0;
  std::map<int32_t, int64_t> ends_;    // offsets that were told as ends
  std::map<int32_t, int64_t> at_end_;  // partitions that had been read to their end, and when
  int64_t seen_ms_ = 0;
  int64_t looked_ms_ = 0;
  std::atomic<bool> woken_{false};
};

class KafkaFeed final : public Feed {
 public:
  KafkaFeed(kafka::ClientConfig config, std::string topic, size_t buffer_bytes)
      : config_(std::move(config)), topic_(std::move(topic)), buffer_bytes_(buffer_bytes) {}

  const std::string& name() const override { return topic_; }
  std::string key() const override { return "topic=" + topic_; }
  std::string title() const override { return "topic " + topic_; }

  Result<std::unique_ptr<Reading>> start(const std::optional<Identity>& identity,
                                         const std::map<std::string, Progress>& progress) override {
    auto ids = kafka::read_identities(config_, {topic_});
    if (!ids) return pass(ids.error());
    const kafka::TopicIdentity& id = ids->at(topic_);
    Identity now{id.cluster_id, id.topic_id.empty() ? "" : kafka::topic_id_text(id.topic_id)};
    if (identity && !identity->may_be(now)) {
      return fail(Code::conflict,
                  "it is not the topic that the table was filled from (topic {} of cluster {}, now {} of {}): its "
                  "offsets mean other records",
                  identity->id, identity->place, now.id, now.place);
    }
    auto consumer = kafka::Consumer::open(config_, reader_options(buffer_bytes_));
    if (!consumer) return pass(consumer.error());
    auto questioner = kafka::Consumer::open(config_, reader_options(1));
    if (!questioner) return pass(questioner.error());
    auto reading =
        std::make_unique<KafkaReading>(std::move(*consumer), std::move(*questioner), topic_, std::move(now), progress);
    if (auto assigned = reading->assign(); !assigned) return pass(assigned.error());
    return reading;
  }

  Result<std::map<std::string, Progress>> still_good(const std::map<std::string, Progress>& progress) override {
    auto consumer = kafka::Consumer::open(config_, reader_options(1));
    if (!consumer) return pass(consumer.error());
    std::map<std::string, Progress> good;
    for (const auto& [partition, where] : progress) {
      if (where.after.empty()) continue;
      const auto marks = (*consumer)->watermarks({topic_, static_cast<int32_t>(number_of(partition))});
      if (!marks) return pass(marks.error());
      const int64_t next = next_offset(where.after);
      if (next >= marks->low && next <= marks->high) good[partition] = where;
    }
    return good;
  }

  Result<> read_range(const ShardRange& range, const std::function<Result<>(const FeedBlock&)>& take) override {
    auto consumer = kafka::Consumer::open(config_, reader_options(buffer_bytes_));
    if (!consumer) return pass(consumer.error());
    const kafka::TopicPartition at{topic_, static_cast<int32_t>(number_of(range.shard))};
    auto marks = (*consumer)->watermarks(at);
    if (!marks) return pass(marks.error());
    const int64_t last = number_of(range.through);
    const int64_t from = range.after.empty() ? marks->low : next_offset(range.after);
    if (from < marks->low || last >= marks->high) return gone(topic_, at.partition, from, *marks);
    if (auto assigned = (*consumer)->assign({{at, from}}); !assigned) return pass(assigned.error());
    constexpr int64_t kSilence = 30'000;  // ms without a message
    for (int64_t heard = now_ms();;) {
      auto messages = (*consumer)->poll(milliseconds(200));
      if (!messages) return pass(messages.error(), "reading the topic {}", topic_);
      BlockMaker block;
      bool done = false;
      for (const kafka::Message& message : *messages) {
        heard = now_ms();
        done = done || message.end_of_partition || message.offset >= last;
        if (!message.end_of_partition && message.offset <= last) block.add(message);
      }
      if (auto taken = take(std::move(block).finish(range.shard)); !taken) return taken;
      if (done) return {};
      if (now_ms() - heard > kSilence) {
        return unavailable("{}/{}: nothing came for {} s, up to offset {}", topic_, range.shard, kSilence / 1000, last);
      }
    }
  }

 private:
  const kafka::ClientConfig config_;
  const std::string topic_;
  const size_t buffer_bytes_;
};

}  // namespace

std::unique_ptr<Feed> kafka_feed(kafka::ClientConfig config, std::string topic, size_t buffer_bytes) {
  return std::make_unique<KafkaFeed>(std::move(config), std::move(topic), buffer_bytes);
}

}  // namespace pinflow::stream
