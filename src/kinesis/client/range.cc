// One range of one shard, read again.
#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "kinesis/client/answers.h"
#include "kinesis/client/position.h"
#include "kinesis/client/reader.h"

namespace pinflow::kinesis {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAwsPause{200};  // 5 reads a second and shard
constexpr milliseconds kLongestPause{5'000};
constexpr milliseconds kMostWait{60'000};  // without an answer, or with nothing new
constexpr int32_t kFetchRecords = 10'000;
constexpr int kMostRenewals = 5;

class RangeReading {
 public:
  RangeReading(const std::shared_ptr<const Endpoint>& endpoint, std::string_view stream, const ShardRange& range)
      : client_(endpoint),
        stream_(stream),
        range_(range),
        what_(fmt::format("shard {} of stream {}", range.shard, stream)) {
    if (!range.first.empty()) position_ = {.kind = Position::Kind::at, .sequence = range.first};
    else if (!range.after.empty())
      position_ = {.kind = Position::Kind::after, .sequence = range.after, .complete_ms = range.complete_ms};
  }

  Result<> run(const std::function<Result<>(const RecordBlock&)>& take) {
    if (position_.kind == Position::Kind::after) {
      auto summary = client_.describe(stream_);
      if (!summary) return pass(summary.error());
      retention_hours_ = summary->retention_hours;
    }
    const bool is_aws = client_.endpoint()->is_aws();
    for (;;) {
      if (iterator_.empty()) {
        if (auto found = find(); !found) return found;
      }
      const auto began = std::chrono::steady_clock::now();
      auto answer = fetch();
      if (!answer) return pass(answer.error());
      if (!*answer) continue;
      auto over = hand_on(**answer, take);
      if (!over) return pass(over.error());
      if (*over) return {};
      if (is_aws) std::this_thread::sleep_until(began + kAwsPause);
    }
  }

 private:
  Result<> find() {
    auto outcome = client_.call("GetShardIterator", iterator_body(stream_, range_.shard, position_));
    if (!outcome.reply) return pass(outcome.reply.error(), "{}", what_);
    if (!outcome.reply->ok()) {
      Error error = outcome.reply->error("GetShardIterator of " + what_);
      if (error.code == Code::not_found || error.code == Code::invalid) error.code = Code::corrupt;  // it was there
      return std::unexpected(std::move(error));
    }
    auto iterator = parse_iterator(outcome.reply->body);
    if (!iterator) return pass(iterator.error());
    iterator_ = std::move(*iterator);
    settled_ = false;
    return {};
  }

  // Nothing: to be tried again.
  Result<std::optional<GetRecordsAnswer>> fetch() {
    auto outcome = client_.call("GetRecords", get_records_body(iterator_, kFetchRecords), Retry::not_throttled);
    if (!outcome.reply) return pass(outcome.reply.error(), "{}", what_);
    const Reply& reply = *outcome.reply;
    if (reply.throttled()) {
      pause_ = std::min(std::max(kAwsPause, pause_ * 3 / 2), kLongestPause);
      std::this_thread::sleep_for(pause_);
      return std::nullopt;
    }
    if (!reply.ok()) {
      const bool renewable = reply.type == "ExpiredIteratorException" || reply.type == "InvalidArgumentException";
      if (!renewable || ++renewals_ > kMostRenewals) return std::unexpected(reply.error("GetRecords of " + what_));
      iterator_.clear();
      return std::nullopt;
    }
    auto answer = parse_get_records(std::move(outcome.reply->body));
    if (!answer) return pass(answer.error(), "{}", what_);
    renewals_ = 0;
    return std::move(*answer);
  }

  // Whether the range is read.
  Result<bool> hand_on(GetRecordsAnswer& answer, const std::function<Result<>(const RecordBlock&)>& take) {
    RecordBlock& block = answer.block;
    block.shard = range_.shard;
    const bool ends = answer.next_iterator.empty();
    const bool at_tip = ends || (answer.behind_known ? answer.behind_ms == 0 : block.records.empty());
    if (!settled_) {
      auto settled = settle_position(position_, block, at_tip, now_ms() - retention_hours_ * 3'600'000);
      if (!settled) return pass(settled.error(), "{}", what_);
      settled_ = *settled;
    }
    bool found = false;
    if (!range_.through.empty()) {
      const auto behind = std::ranges::find_if(block.records, [&](const ReadRecord& record) {
        return compare_sequences(record.sequence, range_.through) > 0;
      });
      const bool passed = behind != block.records.end();
      for (auto record = behind; record != block.records.end(); ++record)
        block.bytes -= record->partition_key.size() + record->data.size();
      block.records.erase(behind, block.records.end());
      found = !block.records.empty() && compare_sequences(block.records.back().sequence, range_.through) == 0;
      if (!found && (passed || ends)) return not_there();
      if (!found && at_tip && block.records.empty()) {
        // A record that was read before must be there; a service may take a moment to show it again.
        if (std::chrono::steady_clock::now() - progress_ > kMostWait) return not_there();
        std::this_thread::sleep_for(kAwsPause / 4);
      }
    }
    if (range_.through.empty() && at_tip && !ends) return corrupt("{}: it has not ended", what_);
    block.ends_shard = ends && !found;
    iterator_ = std::move(answer.next_iterator);
    if (!block.records.empty()) {
      position_ = {.kind = Position::Kind::after, .sequence = std::string(block.records.back().sequence)};
      progress_ = std::chrono::steady_clock::now();
      if (auto taken = take(block); !taken) return pass(taken.error());
    }
    return found || ends;
  }

  std::unexpected<Error> not_there() const {
    return corrupt("{}: the record {} is not there any more", what_, range_.through);
  }

  Client client_;
  const std::string_view stream_;
  const ShardRange& range_;
  const std::string what_;
  Position position_;
  std::string iterator_;
  bool settled_ = false;
  int renewals_ = 0;
  int64_t retention_hours_ = 24;
  milliseconds pause_{0};
  std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<> read_range(const std::shared_ptr<const Endpoint>& endpoint, std::string_view stream, const ShardRange& range,
                    const std::function<Result<>(const RecordBlock&)>& take) {
  return RangeReading(endpoint, stream, range).run(take);
}

}  // namespace pinflow::kinesis
