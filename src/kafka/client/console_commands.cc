#include <algorithm>
#include <condition_variable>
#include <istream>
#include <map>
#include <mutex>
#include <ostream>
#include <set>

#include "base/json.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "kafka/client/commands.h"
#include "kafka/client/consumer.h"
#include "kafka/client/writer.h"

namespace pinflow::kafka {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kCommitEvery{5'000};
constexpr milliseconds kStopCheckEvery{100};

// What is known of the records under way. Filled from the writer's thread.
class Receipts {
 public:
  // Waits for room; then a record of that many bytes counts as under way.
  void begin(size_t bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return under_way_ == 0 || (under_way_ < kMaxUnderWay && bytes_ + bytes <= kMaxLineBytes); });
    ++under_way_;
    bytes_ += bytes;
  }
  void end(int64_t line, size_t bytes, const Written& written) {
    const std::lock_guard lock(mutex_);
    --under_way_;
    bytes_ -= bytes;
    if (written.error == KafkaError::none) {
      ++acknowledged_;
    } else if (first_failed_ == 0 || line < first_failed_) {
      first_failed_ = line;
      failure_ = fmt::format("line {}: {}", line, written.message);
    }
    changed_.notify_all();
  }
  // Waits until nothing is under way.
  void finish(ProduceCounts& counts) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ == 0; });
    counts.acknowledged = acknowledged_;
    counts.first_failure = failure_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t under_way_ = 0;
  size_t bytes_ = 0;
  int64_t acknowledged_ = 0;
  int64_t first_failed_ = 0;
  std::string failure_;
};

// Reading one topic to a stream, until one of the options' ends.
class Printer {
 public:
  Printer(Consumer& consumer, const ConsumeOptions& options, std::ostream& out)
      : consumer_(consumer), options_(options), out_(out) {}

  Result<int64_t> run() {
    if (auto started = start(); !started) return pass(started.error());
    last_news_ = last_commit_ = Clock::now();
    while (!over()) {
      auto batch = consumer_.poll(pause());
      if (!batch) return pass(batch.error());
      for (const Message& message : *batch) {
        if (!take(message)) break;
      }
      if (!batch->empty()) out_.flush();
      commit(false);
    }
    commit(true);
    return printed_;
  }

 private:
  Result<> start() {
    auto topics = consumer_.topics();
    if (!topics) return pass(topics.error());
    const auto topic = std::ranges::find(*topics, options_.topic, [](const auto& one) { return one.first; });
    if (topic == topics->end()) {
      return not_found("there is no topic {}; `pinflow topics list` shows those that are there", options_.topic);
    }
    if (!options_.group.empty()) {
      return consumer_.subscribe({options_.topic}, {{}, [this](const auto&) { commit(true); }, {}});
    }
    std::vector<PartitionOffset> from;
    for (int32_t partition = 0; partition < topic->second; ++partition) {
      from.push_back({{options_.topic, partition}, options_.from_beginning ? kOffsetBeginning : kOffsetEnd});
    }
    return consumer_.assign(from);
  }

  milliseconds pause() const {
    if (options_.timeout_ms < 0) return kStopCheckEvery;
    const auto left = last_news_ + milliseconds(options_.timeout_ms) - Clock::now();
    return std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds(0), kStopCheckEvery);
  }

  bool over() {
    if (stop_requested() || !out_ || full()) return true;
    if (options_.until_end && !ended_.empty()) {
      const auto assigned = consumer_.assignment();
      if (!assigned.empty() && std::ranges::all_of(assigned, [&](const auto& one) { return ended_.contains(one); }))
        return true;
    }
    return options_.timeout_ms >= 0 && Clock::now() - last_news_ >= milliseconds(options_.timeout_ms);
  }

  bool full() const { return options_.max_messages >= 0 && printed_ >= options_.max_messages; }

  // False when no more shall be printed.
  bool take(const Message& message) {
    TopicPartition at{std::string(message.topic), message.partition};
    if (message.end_of_partition) {
      ended_.insert(std::move(at));
      return true;
    }
    if (full()) return false;
    if (options_.output == Output::json) print_json(message);
    else out_ << message.value.value_or("null") << '\n';
    if (!out_) return false;
    ++printed_;
    last_news_ = Clock::now();
    next_[std::move(at)] = message.offset + 1;
    return true;
  }

  void print_json(const Message& message) {
    JsonWriter json;
    auto text = [&](std::string_view key, const std::optional<std::string_view>& value) {
      json.key(key);
      if (value) json.string(*value);
      else json.null();
    };
    json.begin_object().key("topic").string(message.topic);
    json.key("partition").number(static_cast<int64_t>(message.partition)).key("offset").number(message.offset);
    json.key("timestamp");
    if (message.timestamp_ms >= 0) json.number(message.timestamp_ms);
    else json.null();
    text("key", message.key);
    text("value", message.value);
    json.end_object();
    out_ << json.text() << '\n';
  }

  void commit(bool now) {
    if (options_.group.empty() || next_.empty() || (!now && Clock::now() - last_commit_ < kCommitEvery)) return;
    last_commit_ = Clock::now();
    std::vector<PartitionOffset> offsets;
    for (const auto& [at, offset] : std::exchange(next_, {})) offsets.push_back({at, offset});
    if (auto done = consumer_.commit(offsets); !done) warn("consume: {}", done.error().message);
  }

  Consumer& consumer_;
  const ConsumeOptions& options_;
  std::ostream& out_;
  std::set<TopicPartition> ended_;
  std::map<TopicPartition, int64_t> next_;  // printed and not yet committed
  int64_t printed_ = 0;
  Clock::time_point last_news_, last_commit_;
};

}  // namespace

Result<ProduceCounts> produce_command(const ClientConfig& config, const std::string& topic, std::istream& in) {
  auto writer = RdTopicWriter::open(config, {.max_message_bytes = kMaxLineBytes + (1 << 20)});
  if (!writer) return pass(writer.error());
  ProduceCounts counts;
  Receipts receipts;
  std::string line(static_cast<size_t>(kMaxLineBytes) + 1, '\0');
  bool too_long = false;
  while (!stop_requested() && !too_long) {
    in.getline(line.data(), static_cast<std::streamsize>(line.size()));
    auto size = static_cast<size_t>(in.gcount());
    too_long = in.fail() && !in.eof() && size + 1 == line.size();
    if (in.fail()) break;
    if (!in.eof()) --size;  // the newline counts as read
    if (size > 0 && line[size - 1] == '\r') --size;
    ++counts.lines;
    receipts.begin(size);
    std::vector<NewRecord> record(1);
    record[0].value = line.substr(0, size);
    (*writer)->write(topic, std::move(record), [&receipts, size, number = counts.lines](std::vector<Written> written) {
      receipts.end(number, size, written.front());
    });
  }
  receipts.finish(counts);
  if (too_long) return invalid("line {} is longer than {} bytes", counts.lines + 1, kMaxLineBytes);
  return counts;
}

Result<int64_t> consume_command(const ClientConfig& config, const ConsumeOptions& options, std::ostream& out) {
  ConsumerOptions settings;
  settings.group = options.group;
  settings.reset = options.from_beginning ? Reset::earliest : Reset::latest;
  auto consumer = Consumer::open(config, settings);
  if (!consumer) return pass(consumer.error());
  Printer printer(**consumer, options, out);
  auto printed = printer.run();
  (*consumer)->close();  // while the printer is there, which its callbacks need
  return printed;
}

}  // namespace pinflow::kafka
