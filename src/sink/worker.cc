#include "sink/worker.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
constexpr auto kShortPoll = 10ms;  // while something is in progress
constexpr auto kLongPoll = 25ms;
constexpr int64_t kCloseCheckMs = 20;
constexpr int64_t kWakeBytes = 4 << 20;
constexpr auto kStartLimit = 120s;  // how long a rebalance waits for a store that fails

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_passing(Code code) {
  return code == Code::unavailable || code == Code::full || code == Code::denied || code == Code::cancelled;
}

void add(SinkCounts& to, const WriteCounts& written) {
  to.in_objects += written.in_objects;
  to.dead += written.dead;
  to.skipped += written.skipped;
  to.objects += written.objects;
  to.dead_objects += written.dead_objects;
  to.bytes += written.bytes;
}

void add(SinkCounts& to, const Partition& partition, const WriteCounts& written) {
  to.taken += partition.taken();
  to.skipped += partition.passed_over();
  add(to, written);
}

}  // namespace

int64_t Sink::Worker::Owned::done() const {
  return std::min(partition->given(), outbox->first_waiting().value_or(partition->given()));
}

Sink::Worker::Worker(SinkOptions options, object::Store& store, kafka::ClientConfig config,
                     std::unique_ptr<kafka::Consumer> consumer, std::unique_ptr<kafka::Consumer> questioner)
    : options_(std::move(options)),
      store_(store),
      config_(std::move(config)),
      consumer_(std::move(consumer)),
      questioner_(std::move(questioner)),
      starter_(options_, store_, config_, *consumer_, *questioner_),
      pool_(options_.writers) {}

Sink::Worker::~Worker() {
  (void)stop();
  if (thread_.joinable()) thread_.join();
}

Result<> Sink::Worker::start() {
  kafka::RebalanceCallbacks callbacks;
  callbacks.assigned = [this](std::vector<kafka::PartitionOffset>& partitions) { return assigned(partitions); };
  callbacks.revoked = [this](const std::vector<kafka::TopicPartition>& partitions) { revoked(partitions); };
  callbacks.lost = [this](const std::vector<kafka::TopicPartition>& partitions) { lost(partitions); };
  auto subscribed = options_.topics_regex.empty()
                        ? consumer_->subscribe(options_.topics, std::move(callbacks))
                        : consumer_->subscribe_pattern(options_.topics_regex, std::move(callbacks));
  if (!subscribed) return subscribed;
  thread_ = std::jthread([this] { run(); });
  return {};
}

SinkCounts Sink::Worker::counts() const {
  std::lock_guard lock(mutex_);
  SinkCounts counts = gone_;
  for (const auto& [at, owned] : owned_) {
    add(counts, *owned.partition, owned.outbox->tally().counts);
    counts.partitions.push_back(
        {at.topic, at.partition, owned.partition->start(), owned.partition->position(), owned.done()});
  }
  return counts;
}

std::optional<Error> Sink::Worker::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

Result<> Sink::Worker::stop() {
  stopping_ = true;
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) return {};
  changed_.wait(lock, [this] { return ended_.has_value(); });
  return *ended_;
}

void Sink::Worker::run() {
  Result<> result;
  while (!stopping_ && result) result = turn();
  if (!result) {
    error("sink: {}", result.error().message);
    std::lock_guard lock(mutex_);
    failure_ = result.error();
  }
  end();
}

// Writes what is in progress, commits and leaves the group.
void Sink::Worker::end() {
  stopping_ = true;
  std::vector<std::shared_ptr<Outbox>> outboxes;
  int64_t left = 0;
  {
    std::lock_guard lock(mutex_);
    for (auto& [at, owned] : owned_) {
      if (!failure_) owned.partition->close_all();
      outboxes.push_back(owned.outbox);
    }
  }
  pool_.wait_until_empty(outboxes, options_.stop_limit);
  const auto trouble = pool_.failure() ? pool_.failure() : pool_.trouble();
  pool_.stop();
  for (const auto& outbox : outboxes) left += outbox->tally().waiting;
  auto committed = commit(true);
  consumer_->close();
  std::lock_guard lock(mutex_);
  if (failure_) {
    ended_ = std::unexpected(*failure_);
  } else if (left > 0) {
    ended_ = unavailable("{} records were not written: {}. They stay in the topics and are taken at the next start",
                         left, trouble ? trouble->message : "the store was too slow");
  } else {
    ended_ = Result<>{};  // what could not be committed is met in the lake at the next start
  }
  changed_.notify_all();
}

Result<> Sink::Worker::turn() {
  bool busy = paused_ || catching_up_;
  if (!busy) {
    std::lock_guard lock(mutex_);
    busy = std::ranges::any_of(owned_, [](const auto& one) { return one.second.partition->has_open(); });
  }
  auto batch = consumer_->poll(busy ? kShortPoll : kLongPoll);
  if (start_failure_) return pass(*start_failure_);
  if (!batch) {
    // A topic that is not there yet may come.
    const bool may_pass = batch.error().code == Code::not_found || batch.error().code == Code::unavailable;
    if (batch.error().code == Code::conflict)
      return fail(Code::conflict, "{}. Started again, the sink says which records are lost", batch.error().message);
    if (!may_pass) return pass(batch.error());
    if (std::exchange(said_, batch.error().message) != batch.error().message) warn("sink: {}", batch.error().message);
    return {};
  }
  take(*batch);
  wake_fetcher();
  close_files();
  if (auto bounded = bound_memory(); !bounded) return bounded;
  if (auto failed = pool_.failure()) return pass(*failed);
  serve_catch_ups();
  return commit(false);
}

void Sink::Worker::take(const std::vector<kafka::Message>& batch) {
  if (batch.empty()) return;
  const int64_t now = steady_ms();
  std::lock_guard lock(mutex_);
  Owned* owned = nullptr;
  const kafka::Message* before = nullptr;
  for (const kafka::Message& message : batch) {
    if (!before || before->partition != message.partition || before->topic != message.topic) {
      const auto at = owned_.find({std::string(message.topic), message.partition});
      owned = at == owned_.end() ? nullptr : &at->second;
      before = &message;
    }
    if (!owned) continue;
    if (message.end_of_partition) {
      owned->partition->reach(message.offset);
    } else {
      owned->partition->take(message, gate_, now);
      if (message.value) owned->unseen += static_cast<int64_t>(message.value->size());
    }
  }
}

// When its queue is full, librdkafka 2.0 looks at it again after a second, however soon it is emptied; any question to
// the partition's broker wakes its thread before.
void Sink::Worker::wake_fetcher() {
  std::vector<kafka::TopicPartition> asleep;
  {
    std::lock_guard lock(mutex_);
    for (auto& [at, owned] : owned_)
      if (owned.unseen >= kWakeBytes) asleep.push_back(at), owned.unseen = 0;
  }
  for (const auto& at : asleep) (void)consumer_->watermarks(at);
}

void Sink::Worker::close_files() {
  const int64_t now = steady_ms();
  const bool all = flush_requested_.exchange(false);
  if (!all && now - last_close_ms_ < kCloseCheckMs) return;
  last_close_ms_ = now;
  std::lock_guard lock(mutex_);
  for (auto& [at, owned] : owned_) {
    if (all) owned.partition->close_all();
    else owned.partition->close_due(now);
  }
}

// Above the limit the largest files are closed, and polling pauses until the writers have caught up.
Result<> Sink::Worker::bound_memory() {
  int64_t open = 0;
  std::vector<kafka::TopicPartition> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [at, owned] : owned_) open += owned.partition->open_bytes();
    const int64_t limit = options_.memory_bytes;
    const bool over = open + pool_.bytes() > limit;
    const bool under = open + pool_.bytes() <= limit / 2;
    if (paused_ ? !under : !over) return {};
    while (!paused_ && open > limit / 4) {
      auto largest =
          std::ranges::max_element(owned_, {}, [](const auto& one) { return one.second.partition->open_bytes(); });
      open -= largest->second.partition->open_bytes();
      largest->second.partition->close_all();
    }
    for (const auto& [at, owned] : owned_) all.push_back(at);
  }
  paused_ = !paused_;
  return paused_ ? consumer_->pause(all) : consumer_->resume(all);
}

Result<> Sink::Worker::commit(bool now) {
  if (!now && steady_ms() - last_commit_ms_ < options_.commit_interval.count()) return {};
  std::vector<kafka::PartitionOffset> next;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [at, owned] : owned_) {
      const int64_t done = owned.done();
      if (done > std::max(owned.committed, owned.partition->start())) next.push_back({at, done});
    }
  }
  last_commit_ms_ = steady_ms();
  if (next.empty()) return {};
  auto committed = consumer_->commit(next);
  if (!committed) {
    // Without harm: the lake tells the next start. The group's news come with the next poll.
    debug("sink: {}", committed.error().message);
    return now && !stopping_ ? committed : Result<>{};
  }
  std::lock_guard lock(mutex_);
  for (const auto& [at, offset] : next)
    if (const auto owned = owned_.find(at); owned != owned_.end()) owned->second.committed = offset;
  return {};
}

// ---- rebalances ---------------------------------------------------------------------------------------------------

Result<> Sink::Worker::assigned(std::vector<kafka::PartitionOffset>& partitions) {
  starter_.forget_ids();
  for (kafka::PartitionOffset& one : partitions) {
    auto start = begin_with_patience(one.at);
    if (!start) {
      if (!stopping_) start_failure_ = start.error();
      return pass(start.error());
    }
    one.offset = start->offset;
    Owned owned;
    owned.outbox = std::make_shared<Outbox>(store_, options_.layout, one.at.topic, one.at.partition);
    owned.partition =
        std::make_unique<Partition>(options_.rotation, start->offset, std::move(start->known),
                                    [this, outbox = owned.outbox](File file) { pool_.put(outbox, std::move(file)); });
    std::lock_guard lock(mutex_);
    owned_.insert_or_assign(one.at, std::move(owned));
  }
  ever_assigned_ = true;
  paused_ = false;  // the new ones are not; bound_memory pauses all again where it must
  return {};
}

Result<Start> Sink::Worker::begin_with_patience(const kafka::TopicPartition& at) {
  const auto until = std::chrono::steady_clock::now() + kStartLimit;
  for (auto pause = 50ms;; pause = std::min(pause * 2, 5000ms)) {
    auto start = starter_.begin(at);
    if (start || !is_passing(start.error().code) || stopping_ || std::chrono::steady_clock::now() > until) return start;
    if (std::exchange(said_, start.error().message) != start.error().message)
      warn("sink: {}/{} cannot be begun: {}; trying again", at.topic, at.partition, start.error().message);
    for (auto slept = 0ms; slept < pause && !stopping_; slept += 50ms) std::this_thread::sleep_for(50ms);
  }
}

void Sink::Worker::revoked(const std::vector<kafka::TopicPartition>& partitions) {
  std::vector<std::shared_ptr<Outbox>> outboxes;
  {
    std::lock_guard lock(mutex_);
    for (const auto& at : partitions) {
      const auto owned = owned_.find(at);
      if (owned == owned_.end()) continue;
      if (!stopping_) owned->second.partition->close_all();
      outboxes.push_back(owned->second.outbox);
    }
  }
  if (stopping_) return;  // end() has seen to it
  pool_.wait_until_empty(outboxes, options_.stop_limit);
  (void)commit(true);
  for (const auto& at : partitions) forget(at);
}

void Sink::Worker::lost(const std::vector<kafka::TopicPartition>& partitions) {
  if (stopping_) return;
  warn("sink: the group went on without this member; {} partitions are taken up again", partitions.size());
  for (const auto& at : partitions) forget(at);
}

void Sink::Worker::forget(const kafka::TopicPartition& at) {
  std::lock_guard lock(mutex_);
  const auto owned = owned_.find(at);
  if (owned == owned_.end()) return;
  // What is given up here is taken again by whoever has the partition next: it is not counted as taken.
  pool_.abandon(owned->second.outbox);
  const Outbox::Tally tally = owned->second.outbox->tally();
  gone_.taken -= owned->second.partition->open_records() + tally.given_up;
  add(gone_, *owned->second.partition, tally.counts);
  owned_.erase(owned);
}

}  // namespace pinflow::sink
