#include "gateway/stream_front.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "gateway/media_types.h"
#include "kinesis/client/answers.h"

namespace pinflow::gateway {
namespace {

using kinesis::CallOutcome;
using kinesis::Courier;
using kinesis::PutSlot;
using kinesis::Retry;

constexpr int kMaxConnections = 64;
constexpr std::chrono::milliseconds kLongestWait{1'000};

// What the client is told of a call: the service's answer as it is, or why there is none.
http::Response response_of(CallOutcome outcome) {
  if (outcome.reply) return {outcome.reply->status, std::string(kJson), {}, std::move(outcome.reply->body)};
  const Error& error = outcome.reply.error();
  if (outcome.sent) return gateway_error(504, "Endpoint request timed out: " + error.message);
  http::Response response = gateway_error(error.code == Code::denied ? 500 : 503, error.message);
  if (response.status == 503) response.headers.push_back({"Retry-After", "1"});
  return response;
}

http::Response response_of(const PutSlot& slot) {
  if (!slot.ok()) return kinesis_error(slot.error_code == "InternalFailure" ? 500 : 400, slot.error_code, slot.message);
  std::string body = R"({"SequenceNumber":)";
  append_json_string(body, slot.sequence);
  body += R"(,"ShardId":)";
  append_json_string(body, slot.shard);
  return {200, std::string(kJson), {}, body + "}"};
}

// The request as a whole was refused for what may be the fault of a single record.
bool may_be_one_record(const kinesis::Reply& reply) {
  return reply.type == "ValidationException" || reply.type == "InvalidArgumentException" ||
         reply.type == "SerializationException";
}

}  // namespace

Result<std::unique_ptr<StreamFront>> StreamFront::start(std::shared_ptr<const kinesis::Endpoint> endpoint) {
  auto courier = Courier::create(std::move(endpoint), kMaxConnections);
  if (!courier) return pass(courier.error());
  std::unique_ptr<StreamFront> front(new StreamFront);
  front->courier_ = std::move(*courier);
  front->thread_ = std::jthread([f = front.get()](const std::stop_token& stop) { f->run(stop); });
  return front;
}

StreamFront::~StreamFront() { stop(); }

void StreamFront::give(Errand errand) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) {
      errands_.push_back(std::move(errand));
      if (errands_.size() == 1) courier_->wake();
      return;
    }
  }
  errand.answered(gateway_error(503, "the gateway is stopping"));
}

void StreamFront::put(const std::string& stream, StreamRecord record, Answered answered) {
  give({.operation = {}, .body = {}, .stream = stream, .record = std::move(record), .answered = std::move(answered)});
}

void StreamFront::call(std::string operation, std::string body, Answered answered) {
  give({.operation = std::move(operation),
        .body = std::move(body),
        .stream = {},
        .record = {},
        .answered = std::move(answered)});
}

void StreamFront::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  if (!thread_.joinable()) return;
  thread_.request_stop();
  courier_->wake();
  thread_.join();
}

void StreamFront::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    take_errands();
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      send(lane->first, lane->second);
      lane = lane->second.calls == 0 && lane->second.waiting.empty() ? lanes_.erase(lane) : std::next(lane);
    }
    courier_->wait(kLongestWait);
  }
  take_errands();
  courier_->cancel();
  for (auto& [stream, lane] : lanes_)
    for (Waiting& waiting : lane.waiting) waiting.answered(gateway_error(503, "the gateway is stopping"));
  lanes_.clear();
  courier_->cancel();  // what was tried again by itself meanwhile
}

void StreamFront::take_errands() {
  std::vector<Errand> errands;
  {
    const std::lock_guard lock(mutex_);
    errands.swap(errands_);
  }
  for (Errand& errand : errands) {
    if (!errand.stream.empty()) {
      Waiting waiting{std::move(errand.record), std::move(errand.answered)};
      if (waiting.record.plain) lanes_[errand.stream].waiting.push_back(std::move(waiting));
      else put_alone(errand.stream, std::move(waiting));
      continue;
    }
    courier_->call(
        std::move(errand.operation), std::move(errand.body), Retry::never,
        [answered = std::move(errand.answered)](CallOutcome outcome) { answered(response_of(std::move(outcome))); });
  }
}

void StreamFront::put_alone(const std::string& stream, Waiting waiting) {
  std::string body = R"({"StreamName":)";
  append_json_string(body, stream);
  if (!waiting.record.members.empty()) body.append(",").append(waiting.record.members);
  body += '}';
  courier_->call(
      "PutRecord", std::move(body), Retry::never,
      [answered = std::move(waiting.answered)](CallOutcome outcome) { answered(response_of(std::move(outcome))); });
}

void StreamFront::send(const std::string& stream, Lane& lane) {
  while (!lane.waiting.empty()) {
    const size_t most = lane.waiting.size() >= kMaxTogether ? kMaxCalls : kMaxUnfilled;
    if (lane.calls >= most) return;
    std::vector<Waiting> together;
    size_t bytes = 0, text = 64 + stream.size();
    while (!lane.waiting.empty() && together.size() < kMaxTogether) {
      Waiting& next = lane.waiting.front();
      if (!together.empty() && bytes + next.record.bytes > kMaxBytesTogether) break;
      bytes += next.record.bytes;
      text += next.record.members.size() + 3;
      together.push_back(std::move(next));
      lane.waiting.pop_front();
    }
    std::string body;
    body.reserve(text);
    body = R"({"StreamName":)";
    append_json_string(body, stream);
    body += R"(,"Records":[)";
    for (const char* separator = "{"; Waiting & one : together) {
      body.append(separator).append(one.record.members).push_back('}');
      separator = ",{";
    }
    body += "]}";
    ++lane.calls;
    courier_->call("PutRecords", std::move(body), Retry::never,
                   [this, stream, together = std::move(together)](CallOutcome outcome) mutable {
                     const auto lane = lanes_.find(stream);
                     if (lane != lanes_.end()) --lane->second.calls;
                     settle(stream, together, std::move(outcome));
                   });
  }
}

void StreamFront::settle(const std::string& stream, std::vector<Waiting>& sent, CallOutcome outcome) {
  if (outcome.reply && outcome.reply->ok()) {
    const auto slots = kinesis::parse_put_slots(outcome.reply->body, sent.size());
    if (!slots) {
      for (const Waiting& one : sent) one.answered(gateway_error(502, slots.error().message));
      return;
    }
    for (size_t i = 0; i < sent.size(); ++i) sent[i].answered(response_of((*slots)[i]));
    return;
  }
  if (outcome.reply && sent.size() > 1 && may_be_one_record(*outcome.reply)) {
    for (Waiting& one : sent) put_alone(stream, std::move(one));
    return;
  }
  const http::Response response = response_of(std::move(outcome));
  for (const Waiting& one : sent) one.answered(response);
}

}  // namespace pinflow::gateway
