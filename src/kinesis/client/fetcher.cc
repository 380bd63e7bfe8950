#include "kinesis/client/fetcher.h"

#include "base/clock.h"
#include "kinesis/client/answers.h"

namespace pinflow::kinesis {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAwsPoll{200};  // 5 reads a second and shard
constexpr milliseconds kPoll{10}, kIdlePoll{50};
constexpr milliseconds kLongestSleep{1'000};
constexpr milliseconds kRetryAfter{500};  // a service that does not answer, behind the courier's own attempts
constexpr size_t kMostFetches = 64;       // GetRecords under way at once
constexpr int kMostRefusals = 5;

milliseconds least_poll(const ReaderOptions& options, bool is_aws) {
  return options.poll_ms > 0 ? milliseconds(options.poll_ms) : is_aws ? kAwsPoll : kPoll;
}

}  // namespace

Fetcher::Fetcher(ReaderOptions options, std::unique_ptr<Courier> courier, bool is_aws, StreamSummary summary)
    : options_(std::move(options)),
      courier_(std::move(courier)),
      least_(least_poll(options_, is_aws)),
      idle_(options_.poll_ms > 0 || is_aws ? least_ : kIdlePoll),
      summary_(std::move(summary)),
      next_list_(Clock::now() + options_.list_every) {}

void Fetcher::stop() {
  stopping_ = true;
  courier_->wake();
}

void Fetcher::release(const std::string& shard) {
  {
    const std::lock_guard lock(mutex_);
    releases_.push_back(shard);
  }
  courier_->wake();
}

void Fetcher::run() {
  while (!stopping_) {
    take_releases();
    if (!failed_) start_shards();
    auto next = Clock::now() + kLongestSleep;
    if (!failed_) {
      if (!listing_ && (list_again_ || Clock::now() >= next_list_)) list();
      next = std::min({next, fetch_due(), next_list_});
    }
    courier_->wait(std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - Clock::now())));
  }
  failed_ = true;
  courier_->cancel();
}

void Fetcher::take_releases() {
  std::vector<std::string> released;
  {
    const std::lock_guard lock(mutex_);
    released = std::exchange(releases_, {});
  }
  if (options_.release_by_itself) {
    for (std::string& shard : queue_.take_handed_ends()) released.push_back(std::move(shard));
  }
  for (const std::string& shard : released) {
    const auto found = shards_.find(shard);
    if (found == shards_.end() || found->second.state != State::ended) continue;
    found->second.state = State::released;
    queue_.drop(shard);
  }
}

// Those whose parents are done with. A parent that is not known was dropped by the service before it was ever read.
void Fetcher::start_shards() {
  const auto done = [&](const std::string& parent) {
    const auto found = shards_.find(parent);
    return found == shards_.end() || found->second.state == State::released;
  };
  bool some_wait = !children_known_;
  for (auto& [id, shard] : shards_) {
    if (shard.state == State::waiting) {
      if (done(shard.listed.parent) && done(shard.listed.adjacent)) {
        shard.state = State::reading;
        queue_.put({.shard = id}, 0);
      } else {
        some_wait = true;
      }
    }
    if (shard.state == State::ended) some_wait = true;
  }
  queue_.set_waiting(some_wait);
}

bool Fetcher::has_room() const {
  if (fetches_ >= kMostFetches) return false;
  return queue_.bytes() + fetches_ * answer_bytes_ < options_.max_buffer_bytes;
}

// Begins what is due; when the next is.
Fetcher::Clock::time_point Fetcher::fetch_due() {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (auto& [id, shard] : shards_) {
    if (shard.state != State::reading || shard.under_way) continue;
    if (shard.due > now) {
      next = std::min(next, shard.due);
    } else if (shard.iterator.empty()) {
      ask_iterator(shard);
    } else if (has_room()) {
      fetch(shard);
    } else {
      starved_ = true;  // taken() wakes this thread
      if (has_room()) fetch(shard);
    }
  }
  return next;
}

void Fetcher::ask_iterator(ShardFetch& shard) {
  shard.under_way = true;
  shard.settled = false;
  courier_->call("GetShardIterator", iterator_body(options_.stream, shard.listed.id, shard.position), Retry::passing,
                 [this, &shard](CallOutcome outcome) {
                   shard.under_way = false;
                   if (!failed_) on_iterator(shard, std::move(outcome));
                 });
}

void Fetcher::on_iterator(ShardFetch& shard, CallOutcome outcome) {
  if (!outcome.reply) return no_answer(shard, outcome.reply.error());
  if (!outcome.reply->ok()) return refused(shard, *outcome.reply, "GetShardIterator");
  auto iterator = parse_iterator(outcome.reply->body);
  if (!iterator) return fail_with(iterator.error());
  if (shard.position.kind == Position::Kind::latest) {
    // Were it to expire before a record has come, it is asked for anew by this time.
    shard.position = {.kind = Position::Kind::time, .sequence = {}, .time_ms = now_ms()};
  }
  shard.iterator = std::move(*iterator);
  shard.due = Clock::now();
}

void Fetcher::fetch(ShardFetch& shard) {
  shard.under_way = true;
  ++fetches_;
  courier_->call("GetRecords", get_records_body(shard.iterator, options_.fetch_records), Retry::not_throttled,
                 [this, &shard, began = Clock::now(), began_ms = now_ms()](CallOutcome outcome) {
                   shard.under_way = false;
                   --fetches_;
                   if (!failed_) on_records(shard, std::move(outcome), began, began_ms);
                 });
}

void Fetcher::on_records(ShardFetch& shard, CallOutcome outcome, Clock::time_point began, int64_t began_ms) {
  if (!outcome.reply) return no_answer(shard, outcome.reply.error());
  const Reply& reply = *outcome.reply;
  if (reply.throttled()) {
    shard.due = shard.pace.after_throttling(Clock::now());
    return set_trouble(fmt::format("GetRecords of shard {} is throttled: {}", shard.listed.id, reply.message));
  }
  if (reply.type == "ExpiredIteratorException") return renew(shard);
  if (!reply.ok()) return refused(shard, reply, "GetRecords");
  auto answer = parse_get_records(std::move(outcome.reply->body));
  if (!answer) return fail_with(answer.error().within(fmt::format("shard {}", shard.listed.id)));
  shard.refusals = 0;
  shard.pace.after_success(Clock::now());
  set_trouble("");
  if (!answer->block.records.empty()) answer_bytes_ = (answer_bytes_ * 3 + answer->block.bytes) / 4 + 1;
  const bool some = !answer->block.records.empty();
  const bool at_tip = answer->behind_known ? answer->behind_ms == 0 : !some;
  if (!accept(shard, *answer, began_ms)) return;
  shard.due = some || !at_tip ? shard.pace.after_records(began, at_tip) : shard.pace.after_nothing(began);
}

// Puts what came into the queue. False where the reading has failed.
bool Fetcher::accept(ShardFetch& shard, GetRecordsAnswer& answer, int64_t began_ms) {
  RecordBlock& block = answer.block;
  block.shard = shard.listed.id;
  block.ends_shard = answer.next_iterator.empty();
  const bool at_tip = block.ends_shard || (answer.behind_known ? answer.behind_ms == 0 : block.records.empty());
  if (!shard.settled) {
    auto settled = settle_position(shard.position, block, at_tip, oldest_kept_ms());
    if (!settled) {
      suspect(settled.error().within(fmt::format("shard {} of stream {}", shard.listed.id, options_.stream)));
      return false;
    }
    shard.settled = *settled;
  }
  for (const ReadRecord& record : block.records) {
    if (compare_sequences(shard.last, record.sequence) >= 0) {
      suspect(
          {Code::conflict, fmt::format("shard {} of stream {}: the record {} comes behind {}; sequence numbers must "
                                       "rise, so this is another stream than was read before",
                                       shard.listed.id, options_.stream, record.sequence, shard.last)});
      return false;
    }
    shard.last = record.sequence;
  }
  if (!block.records.empty()) shard.position = {.kind = Position::Kind::after, .sequence = shard.last};
  // An end is complete too, but only its children may say so.
  const int64_t complete_ms = at_tip && !block.ends_shard ? began_ms : 0;
  if (complete_ms != 0) shard.position.complete_ms = complete_ms;
  if (complete_ms != 0 && shard.position.kind == Position::Kind::time) shard.position.time_ms = complete_ms;
  shard.iterator = std::move(answer.next_iterator);
  if (block.ends_shard) {
    shard.state = State::ended;
    shard.end_fetched = true;
    list_again_ = true;
    children_known_ = false;
    queue_.set_waiting(true);
  }
  queue_.put(std::move(block), complete_ms);
  return true;
}

// The iterator is no good any more: another one is asked for, behind what was fetched.
void Fetcher::renew(ShardFetch& shard) {
  shard.iterator.clear();
  shard.due = Clock::now();
}

void Fetcher::refused(ShardFetch& shard, const Reply& reply, std::string_view what) {
  const std::string said = fmt::format("{} of shard {} of stream {}", what, shard.listed.id, options_.stream);
  Error error = reply.error(said);
  if (error.code == Code::unavailable || error.code == Code::full) return no_answer(shard, error);
  // An iterator that the service does not know: it was started anew. Or a sequence number that is not of this stream.
  if (error.code == Code::invalid && what == "GetRecords" && ++shard.refusals <= kMostRefusals) return renew(shard);
  if (error.code == Code::invalid && !shard.position.sequence.empty()) {
    suspect({Code::conflict, fmt::format("{}. So this is another stream than was read before", error.message)});
  } else if (error.code == Code::not_found) {
    suspect({Code::corrupt,
             fmt::format("a gap: {}. The shard is not there any more, and was not read to its end", error.message)});
  } else {
    fail_with(std::move(error));
  }
}

void Fetcher::no_answer(ShardFetch& shard, const Error& error) {
  shard.due = Clock::now() + kRetryAfter;
  if (error.code == Code::denied) return fail_with(error);
  set_trouble(error.message);
}

void Fetcher::set_trouble(const std::string& trouble) {
  if (trouble == trouble_) return;
  trouble_ = trouble;
  queue_.set_trouble(trouble);
}

int64_t Fetcher::oldest_kept_ms() const { return now_ms() - summary_.retention_hours * 3'600'000; }

}  // namespace pinflow::kinesis
