// ListStreams and ListShards: pages, and the filters of shards.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "kinesis/service/operation.h"
#include "kinesis/service/shards_text.h"

namespace pinflow::kinesis {
namespace {

constexpr int64_t kStreamsInPage = 100;  // a greater Limit is taken for this
constexpr int64_t kShardsInPage = 1000;
constexpr int64_t kHourMs = 3'600'000;

Refused refusal_of(TokenProblem problem) {
  if (problem == TokenProblem::invalid) return invalid_argument("Invalid NextToken.");
  return Refused({400, "ExpiredNextTokenException",
                  fmt::format("The NextToken has expired: it is good for {} seconds.", kTokenMs / 1000)});
}

// Which shards are listed: in words that a token can carry.
struct Filter {
  std::string type = "FROM_TRIM_HORIZON";
  int64_t at_ms = 0;
};

std::string text_of(const Filter& filter) { return fmt::format("{} {}", filter.type, filter.at_ms); }

Filter filter_from(std::string_view text) {
  Filter filter;
  const size_t blank = std::min(text.find(' '), text.size());
  filter.type = text.substr(0, blank);
  std::from_chars(text.data() + std::min(blank + 1, text.size()), text.data() + text.size(), filter.at_ms);
  return filter;
}

// `after` is set where the filter says so.
Answer<Filter> filter_in(const Shared& shared, const Value& request, std::string_view stream, int32_t& after) {
  Filter filter;
  const Value* given = request.find("ShardFilter");
  if (given == nullptr) return filter;
  filter.type = *given->text_of("Type");
  const auto shard = given->text_of("ShardId");
  const auto time = given->number_of("Timestamp");
  const bool wants_time = filter.type.ends_with("_TIMESTAMP"), wants_shard = filter.type == "AFTER_SHARD_ID";
  if (wants_time != time.has_value()) {
    return invalid_argument("ShardFilter of type {} {} a Timestamp.", filter.type, time ? "takes no" : "must have");
  }
  if (wants_shard != shard.has_value()) {
    return invalid_argument("ShardFilter of type {} {} a ShardId.", filter.type, shard ? "takes no" : "must have");
  }
  if (time) filter.at_ms = std::llround(std::clamp(*time, 0.0, 1e12) * 1000);
  if (!shard) return filter;
  const auto number = shard_in(shared, stream, *shard);
  if (!number) return Refused(number.error());
  after = std::max(after, std::min(*number, kMaxShards));
  return filter;
}

bool is_listed(const Stream& stream, int32_t number, const Filter& filter, int64_t now) {
  if (!within_retention(stream, number, now)) return false;
  const Shard& shard = stream.shards[static_cast<size_t>(number)];
  if (filter.type == "AT_LATEST") return shard.open();
  const int64_t horizon = std::max(stream.created_ms, now - stream.retention_hours * kHourMs);
  if (filter.type == "AT_TRIM_HORIZON")
    return shard.opened_ms <= horizon && (shard.open() || shard.closed_ms > horizon);
  if (filter.type == "FROM_TIMESTAMP") return shard.open() || shard.closed_ms >= filter.at_ms;
  // A time before the horizon is taken for it.
  const int64_t at = std::max(filter.at_ms, horizon);
  if (filter.type == "AT_TIMESTAMP") return shard.opened_ms <= at && (shard.open() || shard.closed_ms >= at);
  return true;  // AFTER_SHARD_ID, FROM_TRIM_HORIZON
}

struct Page {
  Named of;
  Filter filter;
  int32_t after = -1;  // the last shard before it
};

Answer<Page> page_in(const Shared& shared, const Value& request, int64_t now) {
  Page page;
  if (const auto token = request.text_of("NextToken")) {
    for (const char* other : {"StreamName", "StreamARN", "ExclusiveStartShardId", "StreamCreationTimestamp"}) {
      if (other != std::string_view("StreamARN") && request.find(other))
        return invalid_argument("NextToken and {} cannot be provided together.", other);
    }
    const auto next = shared.seal.open_next(*token, now);
    if (!next) return refusal_of(next.error());
    if (next->list != 's') return refusal_of(TokenProblem::invalid);
    page.of = {next->stream, shared.catalogue->find(next->stream)};
    if (!page.of.live || page.of.live->topic != next->stream_id) return stream_not_found(shared, next->stream);
    page.filter = filter_from(next->filter);
    page.after = parse_shard_id(next->after).value_or(-1);
    return page;
  }
  auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  page.of = std::move(*to);
  if (const auto created = request.number_of("StreamCreationTimestamp")) {
    const int64_t created_ms = page.of.live->now()->stream.created_ms;
    if (std::llround(*created) != created_ms / 1000 && std::llround(*created * 1000) != created_ms)
      return stream_not_found(shared, page.of.name);
  }
  if (const auto after = request.text_of("ExclusiveStartShardId")) {
    const auto shard = shard_in(shared, page.of.name, *after);
    if (!shard) return Refused(shard.error());
    page.after = std::min(*shard, kMaxShards);
  }
  auto filter = filter_in(shared, request, page.of.name, page.after);
  if (!filter) return Refused(filter.error());
  page.filter = std::move(*filter);
  return page;
}

}  // namespace

Text list_shards(Shared& shared, const Value& request) {
  const int64_t now = shared.now();
  const auto page = page_in(shared, request, now);
  if (!page) return Refused(page.error());
  const StatePtr state = page->of.live->now();
  const Stream& stream = state->stream;
  const auto most = static_cast<int64_t>(request.number_of("MaxResults").value_or(static_cast<double>(kShardsInPage)));
  AnswerWriter out;
  out.begin_object().key("Shards").begin_array();
  int32_t last = page->after;
  int64_t count = 0;
  bool more = false;
  for (int32_t shard = page->after + 1; shard < static_cast<int32_t>(stream.shards.size()) && !more; ++shard) {
    if (!is_listed(stream, shard, page->filter, now)) continue;
    more = count == most;
    if (more) break;
    write_shard(stream, shard, out);
    last = shard;
    ++count;
  }
  out.end_array();
  if (more) {
    const NextToken next{'s', stream.name, stream.id, shard_id(last), text_of(page->filter), now};
    out.key("NextToken").string(shared.seal.seal(next));
  }
  return out.end_object().take();
}

Text list_streams(Shared& shared, const Value& request) {
  const int64_t now = shared.now();
  std::string after(request.text_of("ExclusiveStartStreamName").value_or(""));
  if (const auto token = request.text_of("NextToken")) {
    if (!after.empty()) return invalid_argument("NextToken and ExclusiveStartStreamName cannot be provided together.");
    const auto next = shared.seal.open_next(*token, now);
    if (!next) return refusal_of(next.error());
    if (next->list != 'n') return refusal_of(TokenProblem::invalid);
    after = next->after;
  }
  const auto wanted = static_cast<int64_t>(request.number_of("Limit").value_or(static_cast<double>(kStreamsInPage)));
  const auto most = static_cast<size_t>(std::min(wanted, kStreamsInPage));
  std::vector<std::string> names = shared.catalogue->names();
  names.erase(names.begin(), std::ranges::upper_bound(names, after));
  const bool more = names.size() > most;
  if (more) names.resize(most);
  AnswerWriter out;
  out.begin_object().key("StreamNames").begin_array();
  for (const std::string& name : names) out.string(name);
  out.end_array().key("HasMoreStreams").boolean(more).key("StreamSummaries").begin_array();
  for (const std::string& name : names) {
    const auto live = shared.catalogue->find(name);
    if (!live) continue;  // deleted meanwhile
    const StatePtr state = live->now();
    out.begin_object().key("StreamName").string(name).key("StreamARN").string(shared.catalogue->arn_of(name));
    out.key("StreamStatus").plain("ACTIVE");
    write_mode(state->stream, out);
    out.key("StreamCreationTimestamp").timestamp(state->stream.created_ms).end_object();
  }
  out.end_array();
  if (more) out.key("NextToken").string(shared.seal.seal(NextToken{'n', "", "", names.back(), "", now}));
  return out.end_object().take();
}

}  // namespace pinflow::kinesis
