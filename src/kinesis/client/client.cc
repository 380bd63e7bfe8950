#include "kinesis/client/client.h"

#include <algorithm>
#include <thread>

#include "base/json.h"
#include "kinesis/client/answers.h"

namespace pinflow::kinesis {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMostIdle = 16;
constexpr size_t kMostPerPut = 500;
constexpr size_t kMostPutBytes = 4 << 20;  // of data and keys in one PutRecords; AWS takes 5 MiB
constexpr milliseconds kLongestPause{5'000};

}  // namespace

Result<std::unique_ptr<Courier>> Client::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto courier = std::move(idle_.back());
      idle_.pop_back();
      return courier;
    }
  }
  return Courier::create(endpoint_);
}

void Client::give_back(std::unique_ptr<Courier> courier) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(courier));
}

CallOutcome Client::call(std::string operation, std::string json, Retry retry) {
  auto courier = take();
  if (!courier) return {pass(courier.error()), false};
  std::optional<CallOutcome> outcome;
  (*courier)->call(std::move(operation), std::move(json), retry, [&](CallOutcome got) { outcome = std::move(got); });
  while (!outcome) (*courier)->wait(std::chrono::seconds(10));
  give_back(std::move(*courier));
  return std::move(*outcome);
}

Result<std::string> Client::ask(std::string operation, std::string json, std::string_view stream) {
  const std::string what = stream.empty() ? operation : fmt::format("{} of stream {}", operation, stream);
  auto outcome = call(std::move(operation), std::move(json));
  if (!outcome.reply) return pass(outcome.reply.error(), "{}", what);
  if (!outcome.reply->ok()) return std::unexpected(outcome.reply->error(what));
  return std::move(outcome.reply->body);
}

Result<StreamSummary> Client::describe(std::string_view stream) {
  auto body = ask("DescribeStreamSummary", stream_body(stream), stream);
  if (!body) return pass(body.error());
  return parse_summary(*body);
}

Result<std::vector<std::string>> Client::list_streams() {
  std::vector<std::string> names;
  for (;;) {
    JsonWriter json;
    json.begin_object();
    if (!names.empty()) json.key("ExclusiveStartStreamName").string(names.back());
    auto body = ask("ListStreams", json.end_object().take(), "");
    if (!body) return pass(body.error());
    auto page = parse_streams(*body);
    if (!page) return pass(page.error());
    names.insert(names.end(), page->names.begin(), page->names.end());
    if (!page->more || page->names.empty()) return names;
  }
}

Result<std::vector<ListedShard>> Client::list_shards(std::string_view stream) {
  constexpr int kMostRestarts = 3;
  std::vector<ListedShard> shards;
  std::string token;
  for (int restarts = 0;;) {
    auto outcome = call("ListShards", list_shards_body(stream, token));
    if (!outcome.reply) return pass(outcome.reply.error(), "ListShards of stream {}", stream);
    if (!outcome.reply->ok()) {
      if (outcome.reply->type == "ExpiredNextTokenException" && ++restarts <= kMostRestarts) {
        shards.clear();
        token.clear();
        continue;
      }
      return std::unexpected(outcome.reply->error(fmt::format("ListShards of stream {}", stream)));
    }
    auto page = parse_shards(outcome.reply->body);
    if (!page) return pass(page.error());
    shards.insert(shards.end(), std::make_move_iterator(page->shards.begin()),
                  std::make_move_iterator(page->shards.end()));
    token = std::move(page->next_token);
    if (token.empty()) return shards;
  }
}

Result<> Client::create_stream(std::string_view stream, int32_t shards, milliseconds wait) {
  auto made = ask("CreateStream",
                  JsonWriter()
                      .begin_object()
                      .key("StreamName")
                      .string(stream)
                      .key("ShardCount")
                      .number(int64_t{shards})
                      .end_object()
                      .take(),
                  stream);
  if (!made) return pass(made.error());
  return wait_until_active(stream, wait);
}

Result<> Client::wait_until_active(std::string_view stream, milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  for (milliseconds pause(10);; pause = std::min(pause * 2, milliseconds(1'000))) {
    auto summary = describe(stream);
    if (!summary && summary.error().code != Code::not_found) return pass(summary.error());
    if (summary && (summary->status == "ACTIVE" || summary->status == "UPDATING")) return {};
    if (summary && summary->status == "DELETING")
      return unavailable("the stream {} is being deleted; make it again when it is gone", stream);
    if (std::chrono::steady_clock::now() >= until)
      return unavailable("the stream {} is {} after {} s", stream, summary ? summary->status : "not there",
                         wait.count() / 1000);
    std::this_thread::sleep_for(pause);
  }
}

Result<std::vector<PutSlot>> Client::put_records(std::string_view stream, std::span<const RecordToPut> records) {
  const std::string what = fmt::format("PutRecords of stream {}", stream);
  auto outcome = call("PutRecords", put_records_body(stream, records), Retry::never);
  if (!outcome.reply) return pass(outcome.reply.error(), "{}", what);
  if (!outcome.reply->ok()) return std::unexpected(outcome.reply->error(what));
  return parse_put_slots(outcome.reply->body, records.size());
}

Result<std::vector<PutSlot>> Client::put_all(std::string_view stream, std::span<const RecordToPut> records) {
  std::vector<PutSlot> slots(records.size());
  std::vector<size_t> left(records.size());
  for (size_t i = 0; i < left.size(); ++i) left[i] = i;
  int attempts = 0;
  milliseconds pause = endpoint_->options().backoff;
  while (!left.empty()) {
    std::vector<RecordToPut> batch;
    size_t bytes = 0;
    for (const size_t i : left) {
      const size_t size = records[i].data.size() + records[i].partition_key.size();
      if (batch.size() == kMostPerPut || (!batch.empty() && bytes + size > kMostPutBytes)) break;
      batch.push_back(records[i]);
      bytes += size;
    }
    auto put = put_records(stream, batch);
    if (!put && put.error().code != Code::unavailable && put.error().code != Code::full) return pass(put.error());
    std::vector<size_t> failed;
    std::string reason = put ? "" : put.error().message;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (put && (*put)[i].ok()) {
        slots[left[i]] = std::move((*put)[i]);
        continue;
      }
      if (put) reason = fmt::format("{}: {}", (*put)[i].error_code, (*put)[i].message);
      failed.push_back(left[i]);
    }
    const bool progress = failed.size() < batch.size();
    left.erase(left.begin(), left.begin() + static_cast<ptrdiff_t>(batch.size()));
    left.insert(left.begin(), failed.begin(), failed.end());
    if (failed.empty()) continue;
    attempts = progress ? 1 : attempts + 1;
    if (attempts >= endpoint_->options().attempts)
      return unavailable("{} records could not be put into the stream {}: {}", left.size(), stream, reason);
    if (progress) pause = endpoint_->options().backoff;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  return slots;
}

}  // namespace pinflow::kinesis
