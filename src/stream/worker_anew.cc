// `--anew`: a worker that goes on with its stream as it is now, because it cannot be gone on with as it was.
#include <algorithm>
#include <set>

#include "base/logging.h"
#include "stream/planner.h"
#include "stream/worker.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProbe{10'000};  // of reading on, to see whether all is there

}  // namespace

std::string Worker::hint() const {
  std::string repeats = "repeats are kept: what it still has of what was read before comes twice";
  if (pipeline_.repeats.stream_drop) {
    repeats = fmt::format(
        "a row that is equal to one of the last {} rows of its table, or of the last {} minutes', is dropped as a "
        "repeat; what it still has of older ones comes twice",
        pipeline_.repeats.stream_rows, pipeline_.repeats.stream_minutes);
  }
  return fmt::format(
      "To go on with it as it is now, from its oldest record, into the same tables: pinflow stream "
      "--anew {} ({})",
      feed_->name(), repeats);
}

// What a feed calls a conflict is not that of two workers, which passes: its stream is another one.
std::unexpected<Error> Worker::of_feed(const Error& error) const {
  switch (error.code) {
    case Code::conflict: return invalid("{}. {}", error.message, hint());
    case Code::corrupt: return fail(Code::corrupt, "{}. {}", error.message, hint());
    case Code::not_found:
      if (!last_ && !unfinished_) break;
      return not_found("{}. It was read before: where it is made again, it is another one. {}", error.message, hint());
    default: break;
  }
  return std::unexpected(error);
}

// Each shard has given a record or was read to its end: nothing of it is missing.
Result<> Worker::probe() {
  std::set<std::string> open;
  for (const auto& [shard, where] : progress_) {
    if (where.ended) reading_->release(shard);
    else open.insert(shard);
  }
  for (const auto until = Clock::now() + kProbe; Clock::now() < until;) {
    const auto blocks = reading_->read({.wait = milliseconds(100)});
    if (!blocks) return pass(blocks.error());
    for (const FeedBlock& block : *blocks) open.erase(block.shard);
    for (const auto& [shard, ms] : reading_->complete_ms_by_shard()) {
      if (ms > 0) open.erase(shard);
    }
    if (open.empty() || reading_->complete_ms() > 0) return {};
    if (pause(milliseconds(0))) return fail(Code::cancelled, "stopped");
  }
  return {};
}

// Why the stream cannot be gone on with; invalid where it can. An unfinished plan of the same stream is finished first,
// where its records are there.
Result<Error> Worker::why_anew() {
  const Plan& newest = unfinished_ ? *unfinished_ : *last_;
  auto reading = feed_->start(newest.identity, progress_);
  if (!reading && reading.error().code != Code::conflict && reading.error().code != Code::corrupt)
    return pass(reading.error());
  if (!reading && reading.error().code == Code::conflict) return reading.error();
  if (reading && !newest.identity.may_be((*reading)->identity())) {
    return Error{Code::conflict,
                 fmt::format("it is another one than was read ({}, {}; now {}, {})", newest.identity.place,
                             newest.identity.id, (*reading)->identity().place, (*reading)->identity().id)};
  }
  if (unfinished_) {
    const auto finished = finish(*unfinished_);
    if (!finished && finished.error().code != Code::corrupt) return pass(finished.error());
    if (!finished) return finished.error();
  }
  if (!reading) return reading.error();
  reading_ = std::move(*reading);
  const auto read = probe();
  reading_.reset();
  if (!read && read.error().code != Code::corrupt && read.error().code != Code::conflict) return pass(read.error());
  if (!read) return read.error();
  return invalid(
      "--anew {}: it is the stream that was read up to now, and nothing of it is missing. Leave --anew out: it would "
      "be read from its oldest record again, and its rows would come twice",
      feed_->name());
}

// One further plan, without records, of the stream as it is now: then work() goes on behind it, as behind any other.
Result<> Worker::begin_anew() {
  if (!last_ && !unfinished_) {
    return invalid("--anew {}: nothing of it was read yet. Leave --anew out: it is read from its oldest record",
                   feed_->name());
  }
  auto why = why_anew();
  if (!why) return pass(why.error());
  std::map<std::string, Progress> kept;
  if (why->code == Code::corrupt) {  // it is the same stream
    auto good = feed_->still_good(progress_);
    if (!good) return pass(good.error());
    kept = std::move(*good);
  }
  auto reading = feed_->start(std::nullopt, kept);
  if (!reading) return pass(reading.error());
  reading_ = std::move(*reading);
  const Plan& before = unfinished_ ? *unfinished_ : *last_;
  Plan plan = plan_of(*place_, Batch(routes_), *reading_, &before, before.number + 1, kept);
  plan.anew = true;
  if (auto put = put_plan(store_, plan); !put) return put;
  warn("stream: {}: {}. Plan {} goes on with it as it is now, from its oldest record", feed_->title(), why->message,
       plan.number);
  if (unfinished_) {
    warn(
        "stream: {}: plan {} was not finished, and of its {} records some are gone: what is not in the tables is "
        "given up",
        feed_->title(), before.number, before.records());
  }
  anew_ = false;
  next_number_ = plan.number + 1;
  last_ = std::move(plan);
  unfinished_.reset();
  progress_ = std::move(kept);
  return {};
}

}  // namespace pinflow::stream
