#include "sink/worker.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/logging.h"
#include "sink/lake_writer.h"
#include "sink/partition.h"
#include "sink/planned_partition.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
constexpr auto kShortPoll = 10ms;  // while something is in progress
constexpr auto kLongPoll = 25ms;
constexpr int64_t kCloseCheckMs = 20;
constexpr int64_t kWakeBytes = 4 << 20;
constexpr auto kCommitLimit = 2s;   // how long the group may take to answer; the lake tells the next start all the same
constexpr auto kSlowStore = 250ms;  // how long polling may wait for the writers before it is paused
constexpr auto kStartLimit = 120s;  // how long a rebalance waits for a store that fails

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_passing(Code code, bool wait_when_denied) {
  return code == Code::unavailable || code == Code::full || code == Code::cancelled ||
         (code == Code::denied && wait_when_denied);
}

void add(SinkCounts& to, const WriteCounts& written) {
  to.in_objects += written.in_objects;
  to.dead += written.dead;
  to.skipped += written.skipped;
  to.objects += written.objects;
  to.dead_objects += written.dead_objects;
  to.bytes += written.bytes;
}

void add(SinkCounts& to, const Intake& partition, const WriteCounts& written) {
  to.taken += partition.taken();
  to.ignored += partition.ignored();
  to.skipped += partition.passed_over();
  add(to, written);
}

}  // namespace

int64_t Sink::Worker::Owned::done() const {
  return std::min(partition->given(), outbox->first_waiting().value_or(partition->given()));
}

Sink::Worker::Worker(Shared& shared, std::optional<connect::Encoding> encoding,
                     std::unique_ptr<kafka::Consumer> consumer, std::unique_ptr<kafka::Consumer> questioner)
    : shared_(shared),
      options_(shared.options),
      consumer_(std::move(consumer)),
      questioner_(std::move(questioner)),
      starter_(options_, shared.fingerprint, shared.store, shared.config, *consumer_, *questioner_),
      encoding_(std::move(encoding)),
      pool_(shared.pool) {}

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
      if (!failure_) owned.partition->close_all(Cause::told);
      outboxes.push_back(owned.outbox);
    }
  }
  pool_.wait_until_empty(outboxes, options_.stop_limit);
  const auto trouble = pool_.failure() ? pool_.failure() : pool_.trouble();
  for (const auto& outbox : outboxes) {
    if (outbox->is_overtaken()) continue;  // another sink has them
    left += outbox->tally().waiting;
    pool_.abandon(outbox);
  }
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
  if (auto taken = take(*batch); !taken) return taken;
  wake_fetcher();
  close_files();
  if (auto begun = begin_again(); !begun) return begun;
  if (auto bounded = bound_memory(); !bounded) return bounded;
  if (auto failed = pool_.failure()) return pass(*failed);
  serve_catch_ups();
  return commit(false);
}

Result<> Sink::Worker::take(const std::vector<kafka::Message>& batch) {
  if (batch.empty()) return {};
  const Now now{steady_ms(), now_ms()};
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
      if (auto taken = owned->partition->take(message, now); !taken) return taken;
      if (message.value) owned->unseen += static_cast<int64_t>(message.value->size());
    }
  }
  return {};
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
  const Now now{steady_ms(), now_ms()};
  const bool all = flush_requested_.exchange(false);
  if (!all && now.steady_ms - last_close_ms_ < kCloseCheckMs) return;
  last_close_ms_ = now.steady_ms;
  std::lock_guard lock(mutex_);
  for (auto& [at, owned] : owned_) {
    if (all) owned.partition->close_all(Cause::told);
    else owned.partition->close_due(now);
  }
}

// Files in progress may have half of the limit: above it the largest are closed. When those that wait to be written
// fill the rest, the writers are waited for, and a store that stays slow pauses polling. The limit is that of all
// workers together.
Result<> Sink::Worker::bound_memory() {
  const int64_t limit = options_.memory_bytes;
  int64_t open = 0;
  std::vector<kafka::TopicPartition> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [at, owned] : owned_) open += owned.partition->open_bytes();
    shared_.open_bytes += open - std::exchange(open_bytes_, open);
    if (shared_.open_bytes > limit / 2) close_largest(limit * 3 / 8 / shared_.tasks);
    for (const auto& [at, owned] : owned_) all.push_back(at);
  }
  if (!paused_) {
    const int64_t room = limit - shared_.open_bytes;
    if (pool_.bytes() <= room || pool_.wait_until_below(room - limit / 8, kSlowStore)) return {};
    if (pool_.bytes() <= room) return {};
  } else if (shared_.open_bytes + pool_.bytes() > limit * 3 / 4 && pool_.bytes() > 0) {
    return {};
  }
  paused_ = !paused_;
  return paused_ ? consumer_->pause(all) : consumer_->resume(all);
}

// Under mutex_. What follows a plan stays open.
void Sink::Worker::close_largest(int64_t down_to) {
  std::vector<Intake*> intakes;
  for (const auto& [at, owned] : owned_)
    if (owned.partition->has_open()) intakes.push_back(owned.partition.get());
  std::ranges::sort(intakes, std::ranges::greater{}, &Intake::open_bytes);
  int64_t open = open_bytes_;
  for (Intake* intake : intakes) {
    if (open <= down_to) break;
    open -= intake->open_bytes();
    intake->close_all(Cause::memory);
    open += intake->open_bytes();
  }
  shared_.open_bytes += open - std::exchange(open_bytes_, open);
}

// Partitions in which another sink was first: what we have of them is thrown away, and they are begun by its plan.
Result<> Sink::Worker::begin_again() {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [at, owned] : owned_)
      if (owned.outbox->is_overtaken()) overtaken_.insert(at);
  }
  for (auto one = overtaken_.begin(); one != overtaken_.end();) {
    const kafka::TopicPartition at = *one;
    info("sink: {}/{}: another sink was first to plan the next objects; going on by its plan", at.topic, at.partition);
    forget(at);
    auto start = begin_with_patience(at);
    if (!start) return stopping_ ? Result<>{} : pass(start.error());
    if (auto sought = consumer_->seek(at, start->offset); !sought) {
      // The group is at it. Until it has settled the partition is not read; a revocation ends the matter.
      debug("sink: {}", sought.error().message);
      ++one;
      continue;
    }
    own(at, std::move(*start));
    one = overtaken_.erase(one);
  }
  return {};
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
  auto committed = consumer_->commit(next, kCommitLimit);
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
    own(one.at, std::move(*start));
  }
  ever_assigned_ = true;
  paused_ = false;  // the new ones are not; bound_memory pauses all again where it must
  return {};
}

void Sink::Worker::own(const kafka::TopicPartition& at, Start start) {
  Owned owned;
  std::unique_ptr<FileWriter> writer;
  if (encoding_)
    writer = std::make_unique<PlanWriter>(shared_.store, options_.layout, shared_.finish,
                                          DeadLetterTopic{shared_.dead_letters.get(), options_.dead_letter_topic},
                                          at.topic, at.partition);
  else writer = std::make_unique<LakeWriter>(shared_.store, options_.layout, at.topic, at.partition);
  owned.outbox = std::make_shared<Outbox>(std::move(writer));
  auto give = [this, topic = at.topic, outbox = owned.outbox](File file) {
    const int64_t objects = file.generation ? static_cast<int64_t>(file.generation->files.size()) : 1;
    if (const auto small = shared_.small.note(topic, file.cause, objects, file.payload(), steady_ms()))
      warn("sink: {}", *small);
    pool_.put(outbox, std::move(file));
  };
  if (encoding_)
    owned.partition = std::make_unique<PlannedPartition>(options_, shared_.fingerprint, *encoding_, start.offset,
                                                         std::move(start.unfinished), std::move(give));
  else
    owned.partition =
        std::make_unique<Partition>(options_.rotation, gate_, start.offset, std::move(start.known), std::move(give),
                                    BadRecords{options_.stop_at_bad_record, options_.log_bad_records});
  std::lock_guard lock(mutex_);
  owned_.insert_or_assign(at, std::move(owned));
}

Result<Start> Sink::Worker::begin_with_patience(const kafka::TopicPartition& at) {
  const auto until = std::chrono::steady_clock::now() + kStartLimit;
  for (auto pause = 50ms;; pause = std::min(pause * 2, 5000ms)) {
    auto start = starter_.begin(at);
    if (start || !is_passing(start.error().code, options_.wait_when_denied) || stopping_ ||
        std::chrono::steady_clock::now() > until)
      return start;
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
      if (!stopping_) owned->second.partition->close_all(Cause::told);
      outboxes.push_back(owned->second.outbox);
    }
  }
  if (stopping_) return;  // end() has seen to it
  pool_.wait_until_empty(outboxes, options_.stop_limit);
  (void)commit(true);
  for (const auto& at : partitions) overtaken_.erase(at), forget(at);
}

void Sink::Worker::lost(const std::vector<kafka::TopicPartition>& partitions) {
  if (stopping_) return;
  warn("sink: the group went on without this member; {} partitions are taken up again", partitions.size());
  for (const auto& at : partitions) overtaken_.erase(at), forget(at);
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
