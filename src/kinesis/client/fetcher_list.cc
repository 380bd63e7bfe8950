// The shards of a stream, and whether it is still the same stream.
#include <algorithm>

#include "kinesis/client/answers.h"
#include "kinesis/client/fetcher.h"

namespace pinflow::kinesis {
namespace {

constexpr std::chrono::milliseconds kListAgain{250};  // where a shard has ended and its children are not yet listed

// Two of which one says nothing may be the same.
bool may_be_same(const StreamIdentity& a, const StreamIdentity& b) {
  const bool arns = a.arn.empty() || b.arn.empty() || a.arn == b.arn;
  return arns && (a.created_ms == 0 || b.created_ms == 0 || a.created_ms == b.created_ms);
}

}  // namespace

Result<> same_stream(std::string_view stream, const StreamIdentity& before, const StreamIdentity& now) {
  if (may_be_same(before, now)) return {};
  return fail(Code::conflict,
              "the stream {} was made anew: what was read before was made at {} ms ({}), this one at {} ms ({}). Its "
              "records are not the ones that were read",
              stream, before.created_ms, before.arn, now.created_ms, now.arn);
}

Result<> Fetcher::begin(const std::vector<ListedShard>& shards) { return merge(shards, true); }

// DescribeStreamSummary, then all pages of ListShards.
void Fetcher::list() {
  listing_ = true;
  list_again_ = false;
  next_list_ = Clock::now() + options_.list_every;
  courier_->call("DescribeStreamSummary", stream_body(options_.stream), Retry::passing, [this](CallOutcome outcome) {
    if (!failed_) on_summary(std::move(outcome));
  });
}

void Fetcher::on_summary(CallOutcome outcome) {
  if (!outcome.reply || !outcome.reply->ok()) return list_failed(outcome, "DescribeStreamSummary");
  auto summary = parse_summary(outcome.reply->body);
  if (!summary) return fail_with(summary.error());
  if (auto same = same_stream(options_.stream, summary_.identity, summary->identity); !same)
    return fail_with(same.error());
  if (suspicion_) return fail_with(*suspicion_);  // it is the same stream, so that was not the reason
  summary_ = std::move(*summary);
  listed_.clear();
  courier_->call("ListShards", list_shards_body(options_.stream, ""), Retry::passing, [this](CallOutcome got) {
    if (!failed_) on_shards(std::move(got));
  });
}

void Fetcher::on_shards(CallOutcome outcome) {
  if (!outcome.reply || !outcome.reply->ok()) return list_failed(outcome, "ListShards");
  auto page = parse_shards(outcome.reply->body);
  if (!page) return fail_with(page.error());
  for (ListedShard& shard : page->shards) listed_.push_back(std::move(shard));
  if (!page->next_token.empty()) {
    courier_->call("ListShards", list_shards_body(options_.stream, page->next_token), Retry::passing,
                   [this](CallOutcome got) {
                     if (!failed_) on_shards(std::move(got));
                   });
    return;
  }
  listing_ = false;
  if (auto merged = merge(listed_, false); !merged) fail_with(merged.error());
}

void Fetcher::list_failed(const CallOutcome& outcome, std::string_view what) {
  listing_ = false;
  const std::string said = fmt::format("{} of stream {}", what, options_.stream);
  const Error error = outcome.reply ? outcome.reply->error(said) : outcome.reply.error().within(said);
  const bool passing = error.code == Code::unavailable || error.code == Code::full ||
                       (outcome.reply && outcome.reply->type == "ExpiredNextTokenException");
  if (!passing) return fail_with(error);
  set_trouble(error.message);
  next_list_ = Clock::now() + kListAgain;  // then from the first page on
  list_again_ = false;
}

Result<> Fetcher::merge(const std::vector<ListedShard>& shards, bool first) {
  const bool fresh = first && options_.progress.empty();
  for (const ListedShard& listed : shards) {
    if (const auto known = shards_.find(listed.id); known != shards_.end()) {
      known->second.listed = listed;
      continue;
    }
    ShardFetch shard{.listed = listed, .pace = Pace(least_, idle_)};
    const auto before = options_.progress.find(listed.id);
    if (before != options_.progress.end()) {
      if (before->second.ended) shard.state = State::released;
      if (!before->second.after.empty())
        shard.position = {
            .kind = Position::Kind::after, .sequence = before->second.after, .complete_ms = before->second.complete_ms};
      shard.last = before->second.after;
    } else if (fresh && options_.begin == ReaderOptions::Begin::latest) {
      // Closed ones hold nothing that comes later; open ones start at once.
      shard.state = listed.closed ? State::released : State::waiting;
      shard.position.kind = Position::Kind::latest;
    } else if (fresh && options_.begin == ReaderOptions::Begin::time) {
      shard.position = {.kind = Position::Kind::time, .sequence = {}, .time_ms = options_.begin_ms};
    }
    shards_.emplace(listed.id, std::move(shard));
  }
  // A shard that the service has dropped, though it was not read to its end.
  const auto is_listed = [&](const std::string& id) {
    return std::ranges::any_of(shards, [&](const ListedShard& shard) { return shard.id == id; });
  };
  const auto gone = [&](const std::string& id) {
    return corrupt(
        "a gap: the shard {} of stream {} is not listed any more, and was not read to its end: it was closed, and its "
        "records have been trimmed",
        id, options_.stream);
  };
  if (first) {
    for (const auto& [id, progress] : options_.progress)
      if (!progress.ended && !is_listed(id)) return gone(id);
    return {};
  }
  bool children_are_missing = false;
  for (auto shard = shards_.begin(); shard != shards_.end();) {
    const bool listed = is_listed(shard->first);
    if (!listed && shard->second.state == State::released) {
      shard = shards_.erase(shard);
      continue;
    }
    if (!listed && (shard->second.state == State::reading || shard->second.state == State::waiting) &&
        !shard->second.under_way)
      return gone(shard->first);
    if (shard->second.end_fetched) {
      children_are_missing |= std::ranges::none_of(shards_, [&](const auto& other) {
        return other.second.listed.parent == shard->first || other.second.listed.adjacent == shard->first;
      });
    }
    ++shard;
  }
  children_known_ = !children_are_missing && !list_again_;
  if (children_are_missing) next_list_ = std::min(next_list_, Clock::now() + kListAgain);
  return {};
}

// What looks like the end of the reading. Whether the stream is there, and the same, is looked at first: it would be
// the better reason.
void Fetcher::suspect(Error error) {
  if (!suspicion_) suspicion_ = std::move(error);
  next_list_ = Clock::now();
  for (auto& [id, shard] : shards_) shard.due = Clock::time_point::max();
}

void Fetcher::fail_with(Error error) {
  if (failed_) return;
  failed_ = true;
  queue_.put_failure(std::move(error));
}

}  // namespace pinflow::kinesis
