#include "app/stream_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/counts.h"
#include "app/stream_part.h"
#include "base/clock.h"
#include "base/logging.h"

namespace pinflow::app {
namespace {

using namespace std::chrono_literals;
constexpr auto kEvery = 10s;

// Stream, topic and table names hold nothing that a label's value would have to escape.
std::string labels(const stream::FeedCounts& feed) { return fmt::format("feed=\"{}\"", feed.title); }

std::string line_of(const stream::StreamCounts& counts, int64_t taken, double seconds) {
  std::string line = fmt::format("{} (+{} records in {:.0f} s)", as_line(counts), grouped(taken), seconds);
  for (const stream::FeedCounts& feed : counts.feeds) {
    if (feed.waiting) line += fmt::format("; {} is with another worker", feed.title);
    else if (!feed.trouble.empty()) line += fmt::format("; {}: {}", feed.title, feed.trouble);
  }
  return line;
}

}  // namespace

std::string stream_metrics(const stream::StreamCounts& counts, int64_t now_ms, bool failed) {
  std::string text;
  const auto head = [&text](std::string_view name, std::string_view type, std::string_view help) {
    text += fmt::format("# HELP pinflow_stream_{0} {2}\n# TYPE pinflow_stream_{0} {1}\n", name, type, help);
  };
  head("records_total", "counter", "Records since the start, by what became of them.");
  for (const stream::FeedCounts& feed : counts.feeds) {
    for (const lake::RecordReport& record : feed.records) {
      for (const auto& [result, value] :
           {std::pair{"clean", record.clean}, {"duplicate", record.duplicates}, {"dead", record.dead}})
        text += fmt::format("pinflow_stream_records_total{{{},table=\"{}\",result=\"{}\"}} {}\n", labels(feed),
                            record.table, result, value);
    }
    text +=
        fmt::format("pinflow_stream_records_total{{{},table=\"\",result=\"dead\"}} {}\n", labels(feed), feed.unrouted);
  }
  const auto of_feeds = [&](std::string_view name, std::string_view type, std::string_view help, auto value_of) {
    head(name, type, help);
    for (const stream::FeedCounts& feed : counts.feeds)
      text += fmt::format("pinflow_stream_{}{{{}}} {}\n", name, labels(feed), value_of(feed));
  };
  of_feeds("plans_total", "counter", "Micro-batches carried out.", [](const auto& feed) { return feed.plans; });
  of_feeds("commits_total", "counter", "Delta commits.", [](const auto& feed) { return feed.commits; });
  of_feeds("files_total", "counter", "Parquet files added.", [](const auto& feed) { return feed.files; });
  of_feeds("bytes_total", "counter", "Bytes of them.", [](const auto& feed) { return feed.bytes; });
  of_feeds("busy_seconds_total", "counter", "Time spent in micro-batches.",
           [](const auto& feed) { return feed.busy_seconds; });
  of_feeds("behind_seconds", "gauge", "Age of the oldest record that may not be in its table; -1: not known.",
           [&](const auto& feed) {
             return feed.complete_ms == 0 ? -1.0
                                          : static_cast<double>(std::max<int64_t>(now_ms - feed.complete_ms, 0)) / 1e3;
           });
  of_feeds("window_rows", "gauge", "Rows among which repeats are looked for.",
           [](const auto& feed) { return feed.window_rows; });
  of_feeds("waiting", "gauge", "1 while another worker has the lease.",
           [](const auto& feed) { return feed.waiting ? 1 : 0; });
  head("up", "gauge", "1 while all workers work, 0 when one has stopped by an error.");
  return text + fmt::format("pinflow_stream_up {}\n", failed ? 0 : 1);
}

Result<std::unique_ptr<StreamWatch>> StreamWatch::start(const stream::Streams& streams,
                                                        const std::optional<Address>& listen) {
  auto watch = std::unique_ptr<StreamWatch>(new StreamWatch(streams));
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

StreamWatch::~StreamWatch() {
  if (server_) server_->stop(0);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

std::string StreamWatch::address() const { return server_ ? Address{host_, server_->port()}.text() : std::string(); }

void StreamWatch::run() {
  int64_t before = 0;
  for (Stopwatch watch;;) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, kEvery, [this] { return stopping_; })) return;
    }
    const stream::StreamCounts counts = streams_.counts();
    const int64_t records = records_of(counts);
    if (records == before) continue;
    info("stream: {}", line_of(counts, records - before, watch.seconds()));
    before = records;
    watch = {};
  }
}

http::Response StreamWatch::answer(const http::Request& request) const {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != "GET" && request.method != "HEAD") return http::json_error(405, "only GET is answered");
  const auto failure = streams_.failure();
  if (path == "/metrics") {
    return {200,
            "text/plain; version=0.0.4; charset=utf-8",
            {},
            stream_metrics(streams_.counts(), now_ms(), failure.has_value())};
  }
  if (path == "/health") {
    if (failure) return http::json_error(503, failure->message);
    return {200, "application/json", {}, "{\"status\":\"up\"}\n"};
  }
  return http::json_error(404, "there are /metrics and /health");
}

}  // namespace pinflow::app
