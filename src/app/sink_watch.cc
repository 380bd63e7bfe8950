#include "app/sink_watch.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/logging.h"

namespace pinflow::app {
namespace {

using namespace std::chrono_literals;
constexpr auto kEvery = 10s;
constexpr auto kFirst = 2s;  // lags are known soon after the start

int64_t handled(const sink::SinkCounts& counts) { return counts.in_objects + counts.dead + counts.skipped; }

}  // namespace

void keep_memory_small() {
  constexpr int kLargeBytes = 256 << 10;  // from here on a buffer is a mapping of its own
  constexpr int kArenas = 2;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  ::mallopt(M_ARENA_MAX, kArenas);
}

SinkWatch::SinkWatch(const sink::Sink& sink, std::unique_ptr<kafka::Consumer> questioner)
    : sink_(sink), questioner_(std::move(questioner)) {}

Result<std::unique_ptr<SinkWatch>> SinkWatch::start(const sink::Sink& sink, const kafka::ClientConfig& config,
                                                    const std::optional<Address>& listen) {
  kafka::ConsumerOptions options;
  options.client_id = "pinflow-sink-watch";
  auto questioner = kafka::Consumer::open(config, options);
  if (!questioner) return pass(questioner.error());
  auto watch = std::unique_ptr<SinkWatch>(new SinkWatch(sink, std::move(*questioner)));
  if (listen) {
    http::ServerOptions server;
    server.host = watch->host_ = listen->host;
    server.port = listen->port;
    server.threads = 1;
    server.max_connections = 64;
    auto started = http::Server::start(
        server,
        [one = watch.get()](const http::Request& request, http::Respond respond) { respond(one->answer(request)); });
    if (!started) return pass(started.error(), "metrics");
    watch->server_ = std::move(*started);
  }
  watch->thread_ = std::jthread([one = watch.get()] { one->run(); });
  return watch;
}

SinkWatch::~SinkWatch() {
  if (server_) server_->stop(0);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

std::string SinkWatch::address() const { return server_ ? Address{host_, server_->port()}.text() : std::string(); }

void SinkWatch::run() {
  sink::SinkCounts before;
  Lags said;
  Stopwatch watch;
  for (auto pause = std::chrono::seconds(kFirst);; pause = kEvery) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
    const sink::SinkCounts counts = sink_.counts();
    refresh_lags(counts);
    if (pause == kFirst) continue;
    Lags lags;
    {
      std::lock_guard lock(mutex_);
      lags = lags_;
    }
    if (handled(counts) == handled(before) && lags == said) continue;
    info("sink: {}", sink_line(counts, before, watch.seconds(), lags));
    before = counts;
    said = lags;
    watch = {};
  }
}

// Asks the cluster; a partition that it does not answer for keeps what was known.
void SinkWatch::refresh_lags(const sink::SinkCounts& counts) {
  Lags lags;
  for (const sink::PartitionCounts& one : counts.partitions) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    const kafka::TopicPartition at{one.topic, one.partition};
    const auto marks = questioner_->watermarks(at);
    std::lock_guard lock(mutex_);
    if (marks) {
      lags[at] = std::max<int64_t>(marks->high - std::max(one.done, marks->low), 0);
    } else if (const auto known = lags_.find(at); known != lags_.end()) {
      lags[at] = known->second;
    }
    if (!marks && marks.error().code == Code::unavailable) return;  // the next time
  }
  std::lock_guard lock(mutex_);
  lags_ = std::move(lags);
}

http::Response SinkWatch::answer(const http::Request& request) const {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != "GET" && request.method != "HEAD") return http::json_error(405, "only GET is answered");
  const auto failure = sink_.failure();
  if (path == "/metrics") {
    std::lock_guard lock(mutex_);
    return {
        200, "text/plain; version=0.0.4; charset=utf-8", {}, sink_metrics(sink_.counts(), lags_, failure.has_value())};
  }
  if (path == "/health") {
    if (failure) return http::json_error(503, failure->message);
    return {200, "application/json", {}, "{\"status\":\"up\"}\n"};
  }
  return http::json_error(404, "there are /metrics and /health");
}

}  // namespace pinflow::app
