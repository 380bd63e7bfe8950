#include "stream/worker.h"

#include <algorithm>
#include <future>

#include "base/clock.h"
#include "base/logging.h"
#include "lake/commit_counts.h"
#include "stream/planner.h"
#include "stream/resume.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{200};        // at the lease, a stop, a hurry, while nothing comes
constexpr milliseconds kHurry{5};         // the same where somebody waits
constexpr milliseconds kGather{20};       // between two looks at what has come, while a micro-batch waits for its time
constexpr milliseconds kFirstPause{200};  // after a passing fault; doubled each time, up to …
constexpr milliseconds kLastPause{10'000};  // … this
constexpr int kMostConflicts = 20;          // in a row, without a plan carried out
constexpr int64_t kIdlePlan = 3'600'000;    // so often an idle stream gets a plan that says how far it was complete
constexpr int64_t kTidyEvery = 25;          // plans

std::vector<const pipeline::RecordType*> find_all(const pipeline::Pipeline& pipeline,
                                                  const std::vector<std::string>& names) {
  std::vector<const pipeline::RecordType*> records;
  for (const std::string& name : names) records.push_back(pipeline.find_record(name));
  return records;
}

bool passes(Code code) { return code == Code::unavailable || code == Code::full || code == Code::conflict; }

}  // namespace

Worker::Worker(const pipeline::Pipeline& pipeline, object::Store& store, Engine& engine, FeedOfRecords feed,
               const StreamOptions& options)
    : pipeline_(pipeline),
      store_(store),
      engine_(engine),
      feed_(std::move(feed.feed)),
      key_(feed_->key()),
      routes_(find_all(pipeline, feed.records)),
      options_(options),
      lease_(store, key_, options.lease),
      anew_(options.anew.contains(feed_->name())) {
  counts_.title = feed_->title();
  for (const pipeline::RecordType* record : routes_.records()) {
    lake::RecordReport& report = counts_.records.emplace_back();
    report.record = record->name;
    report.table = record->stream_table;
    report.before = report.after = -1;  // until the table has been opened
  }
}

Worker::~Worker() {
  stop();
  join();
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (woken_ != nullptr) woken_->wake();
  changed_.notify_all();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::hurry(int64_t until_ms) {
  const std::lock_guard lock(mutex_);
  hurry_ms_ = std::max(hurry_ms_, until_ms);
  if (woken_ != nullptr) woken_->wake();
  changed_.notify_all();
}

bool Worker::complete(int64_t until_ms) const {
  const std::lock_guard lock(mutex_);
  return counts_.complete_ms > until_ms;  // what came within that millisecond may be behind it
}

FeedCounts Worker::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::optional<Error> Worker::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

milliseconds Worker::waiting() const {
  const std::lock_guard lock(mutex_);
  if (!waiting_since_) return milliseconds(0);
  return std::chrono::duration_cast<milliseconds>(Clock::now() - *waiting_since_);
}

std::string Worker::holder() const {
  const std::lock_guard lock(mutex_);
  return holder_;
}

bool Worker::pause(milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return stopping_; });
  return stopping_;
}

void Worker::run() {
  milliseconds wait = kFirstPause;
  for (;;) {
    const int64_t plans = counts().plans;
    auto ended = session();
    {
      const std::lock_guard lock(mutex_);
      woken_ = nullptr;
    }
    reading_.reset();
    place_.reset();
    if (pause(milliseconds(0))) break;
    if (ended) continue;  // another worker has taken the lease
    const Error& error = ended.error();
    const bool moved = counts().plans > plans;
    if (moved) wait = kFirstPause;
    conflicts_ = error.code == Code::conflict && !moved ? conflicts_ + 1 : 0;
    if (!passes(error.code) || conflicts_ > kMostConflicts) {
      const std::lock_guard lock(mutex_);
      failure_ = error.within(feed_->title());
      counts_.failure = error.message;
      changed_.notify_all();
      pinflow::error("stream: {}: {}", feed_->title(), error.message);
      break;
    }
    {
      const std::lock_guard lock(mutex_);
      counts_.trouble = error.message;
    }
    if (error.code == Code::conflict) debug("stream: {}: {}", feed_->title(), error.message);
    else warn("stream: {}: {}; trying again in {} ms", feed_->title(), error.message, wait.count());
    if (pause(error.code == Code::conflict ? kFirstPause : wait)) break;
    wait = std::min(wait * 2, kLastPause);
  }
  lease_.release();
}

bool Worker::is_hurried() const {
  const std::lock_guard lock(mutex_);
  return hurry_ms_ > 0 && hurry_ms_ >= counts_.complete_ms;
}

Result<bool> Worker::wait_for_lease() {
  for (bool told = false;; told = true) {
    auto ours = lease_.try_take();
    if (!ours) return ours;
    {
      const std::lock_guard lock(mutex_);
      if (*ours) waiting_since_.reset();
      else if (!waiting_since_) waiting_since_ = Clock::now();
      counts_.waiting = !*ours;
      holder_ = *ours ? "" : lease_.holder();
      if (*ours) ++counts_.takeovers;
    }
    if (*ours) return true;
    if (!told) info("stream: {} is with {}: waiting for its lease to end", feed_->title(), lease_.holder());
    if (pause(std::min(kLook, options_.lease / 4))) return false;
  }
}

Result<> Worker::session() {
  const auto ours = wait_for_lease();
  if (!ours) return pass(ours.error());
  if (!*ours) return {};
  handed_out_ms_ = 0;
  if (auto opened = open(); !opened) return opened;
  if (auto begun = anew_ ? begin_anew() : begin(); !begun) return begun;
  {
    const std::lock_guard lock(mutex_);
    woken_ = reading_.get();
    counts_.trouble.clear();
  }
  if (unfinished_) {
    if (auto finished = finish(*unfinished_); !finished)
      return finished.error().code == Code::corrupt ? of_feed(finished.error()) : finished;
  }
  return work();
}

Result<> Worker::open() {
  last_.reset();
  unfinished_.reset();
  auto place = Workplace::open(pipeline_, store_, engine_, routes_, key_, feed_->name());
  if (!place) return pass(place.error());
  place_ = std::move(*place);
  auto found = resume(*place_);
  if (!found) return pass(found.error());
  last_ = std::move(found->last);
  unfinished_ = std::move(found->unfinished);
  next_number_ = found->next;
  first_plan_ = found->numbers.empty() ? found->next : found->numbers.front();
  lowest_plan_ = remove_old_plans(store_, key_, first_plan_, found->numbers);
  progress_ = unfinished_ ? unfinished_->progress() : last_ ? last_->progress() : std::map<std::string, Progress>{};
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < counts_.records.size(); ++i) {
    lake::RecordReport& report = counts_.records[i];
    const int64_t rows = place_->targets()[i]->rows_before();
    if (report.before < 0) report.before = rows;
    report.after = rows;
  }
  return {};
}

Result<> Worker::begin() {
  std::optional<Identity> identity;
  if (last_) identity = last_->identity;
  if (unfinished_) identity = unfinished_->identity;
  auto reading = feed_->start(identity, progress_);
  if (!reading) return of_feed(reading.error());
  reading_ = std::move(*reading);
  if (!identity || identity->may_be(reading_->identity())) return {};
  // Not a conflict of two workers, that passes: nothing here can be mended by trying again.
  return invalid(
      "it is not the one that the table was filled from ({}, {}; now {}, {}): its sequence numbers mean other records. "
      "{}",
      identity->place, identity->id, reading_->identity().place, reading_->identity().id, hint());
}

Result<> Worker::finish(const Plan& plan) {
  info("stream: {}: finishing plan {}, which was begun before", feed_->title(), plan.number);
  Batch batch(routes_);
  for (const PlannedShard& shard : plan.shards) {
    if (shard.records == 0) continue;
    int64_t records = 0;
    auto read = feed_->read_range({shard.shard, shard.from, shard.to}, [&](const FeedBlock& block) -> Result<> {
      records += static_cast<int64_t>(block.records.size());
      if (records > shard.records) return {};  // said below
      batch.add(block);
      return {};
    });
    if (!read) return pass(read.error(), "plan {}", plan.number);
    if (records != shard.records) {
      return corrupt("plan {}: {} has {} records from {} to {}, and had {} when the plan was made", plan.number,
                     shard.shard, records, shard.from.empty() ? "its start" : shard.from, shard.to, shard.records);
    }
  }
  for (size_t type = 0; type < routes_.records().size(); ++type) {
    const PlannedTable* planned = plan.find(routes_.records()[type]->name);
    if (static_cast<int64_t>(batch.of_type(type).size()) == (planned == nullptr ? 0 : planned->records)) continue;
    return invalid(
        "plan {} was begun with other record types or partition keys. Put the pipeline back as it was, let the worker "
        "finish (pinflow stream --until-caught-up), then change it",
        plan.number);
  }
  const auto done = PlanRun(*place_, plan, batch, {}).run();
  if (!done) return pass(done.error());
  take(*done, plan);
  next_number_ = plan.number + 1;
  last_ = plan;
  unfinished_.reset();
  return {};
}

Result<> Worker::work() {
  for (const PlannedShard& shard : last_ ? last_->shards : std::vector<PlannedShard>{}) {
    if (shard.ended) reading_->release(shard.shard);
  }
  Clock::time_point begun = Clock::now() - options_.trigger;
  for (;;) {
    auto ours = lease_.keep();
    if (!ours) return pass(ours.error());
    if (!*ours) {
      warn("stream: {} was taken over by {}", feed_->title(), lease_.holder());
      return {};
    }
    Batch batch(routes_);
    auto going = gather(batch, begun + options_.trigger);
    if (!going) return pass(going.error());
    const bool idle_plan = batch.empty() && last_ && handed_out_ms_ > last_->made_ms + kIdlePlan;
    if (!batch.empty() || idle_plan) {
      begun = Clock::now();
      if (auto done = carry_out(batch); !done) return done;
      const std::lock_guard lock(mutex_);
      counts_.busy_seconds += std::chrono::duration<double>(Clock::now() - begun).count();
    }
    {
      const std::lock_guard lock(mutex_);
      counts_.complete_ms = std::max(counts_.complete_ms, handed_out_ms_);
      counts_.trouble = reading_->trouble();
      changed_.notify_all();
    }
    if (!*going) return {};
  }
}

// False: a stop was asked for; what is in the batch is the last. Returns without any record where nothing comes for a
// while.
Result<bool> Worker::gather(Batch& batch, Clock::time_point due) {
  const Clock::time_point until = std::max(due, Clock::now() + kLook);
  for (;;) {
    const auto now = Clock::now();
    const bool waits = batch.empty();
    ReadLimits limits;
    limits.records = options_.most_records - batch.records();
    limits.bytes = options_.most_bytes - std::min(batch.bytes(), options_.most_bytes - 1);
    limits.wait =
        waits ? std::chrono::ceil<milliseconds>(std::max(until - now, Clock::duration::zero())) : milliseconds(0);
    if (is_hurried()) limits.wait = std::min(limits.wait, kHurry);
    auto blocks = reading_->read(limits);
    if (!blocks) return of_feed(blocks.error());
    const bool came = !blocks->empty();
    for (FeedBlock& block : *blocks) batch.add(std::move(block));
    note_progress();
    const bool full = batch.records() >= options_.most_records || batch.bytes() >= options_.most_bytes;
    std::unique_lock lock(mutex_);
    if (stopping_) return false;
    if (full || batch.ends_shards()) return true;
    if (hurry_ms_ > 0 && hurry_ms_ >= counts_.complete_ms && handed_out_ms_ > hurry_ms_) return true;
    const auto later = Clock::now();
    if (later >= (batch.empty() ? until : due)) return true;
    if (batch.empty() || came) continue;
    changed_.wait_for(lock, std::min<Clock::duration>(kGather, due - later), [&] { return stopping_; });
  }
}

void Worker::note_progress() { handed_out_ms_ = std::max(handed_out_ms_, reading_->complete_ms()); }

Result<> Worker::carry_out(Batch& batch) {
  Plan plan = plan_of(*place_, batch, *reading_, last_ ? &*last_ : nullptr, next_number_, progress_);
  // On a thread of its own: the store's answer and the engine's work take about the same time.
  std::future<Result<>> put;
  const auto begin = [&] {
    if (!put.valid()) put = std::async(std::launch::async, [this, &plan] { return put_plan(store_, plan); });
  };
  // No plan shall land whose cleaning does not run, and one that has run before runs, but for odd records.
  const auto runs = [this](const PlannedTable& table) {
    return table.records == 0 || place_->find(table.record)->has_cleaned();
  };
  if (std::ranges::all_of(plan.tables, runs)) begin();
  const auto wait = [&put, answer = Result<>()]() mutable {
    if (put.valid()) answer = put.get();
    return answer;
  };
  const auto done = PlanRun(*place_, plan, batch, {begin, wait}).run();
  if (!done) return pass(done.error());
  for (const PlannedShard& shard : plan.shards) {
    const bool ended_now = shard.ended && !progress_[shard.shard].ended;
    progress_[shard.shard] = {shard.to, shard.ended, shard.complete_ms};
    if (ended_now) reading_->release(shard.shard);
  }
  take(*done, plan);
  last_ = std::move(plan);
  next_number_ = last_->number + 1;
  conflicts_ = 0;
  if (last_->number % kTidyEvery == 0) {
    std::vector<int64_t> there;
    for (int64_t number = lowest_plan_; number <= last_->number; ++number) there.push_back(number);
    lowest_plan_ = remove_old_plans(store_, key_, first_plan_, there);
  }
  return {};
}

void Worker::take(const PlanCounts& done, const Plan& plan) {
  const std::lock_guard lock(mutex_);
  for (const lake::RecordReport& one : done.records) {
    const auto sum = std::ranges::find(counts_.records, one.record, &lake::RecordReport::record);
    lake::add_counts(*sum, one);
    sum->after += one.clean;
  }
  for (size_t i = 0; i < counts_.records.size(); ++i) counts_.window_rows = place_->targets()[i]->window_rows();
  counts_.unrouted += done.unrouted;
  counts_.files += done.files;
  counts_.bytes += done.bytes;
  counts_.commits += done.commits;
  counts_.plan = plan.number;
  ++counts_.plans;
}

}  // namespace pinflow::stream
