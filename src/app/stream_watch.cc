#include "app/stream_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/counts.h"
#include "app/memory.h"
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
    if (!feed.failure.empty()) continue;  // as_line names it
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
  of_feeds("ended", "gauge", "1 when the worker has ended by an error.",
           [](const auto& feed) { return feed.failure.empty() ? 0 : 1; });
  head("up", "gauge", "1 while all workers work, 0 when one has stopped by an error.");
  return text + fmt::format("pinflow_stream_up {}\n", failed ? 0 : 1);
}

Result<std::unique_ptr<Watch>> watch_streams(const stream::Streams& streams, const std::optional<Address>& listen) {
  const auto look = [&streams, before = int64_t{0}, ended = int64_t{0}, since = Stopwatch(),
                     warm = false](const std::stop_token&) mutable {
    const stream::StreamCounts counts = streams.counts();
    const int64_t records = records_of(counts);
    const int64_t ended_now =
        std::ranges::count_if(counts.feeds, [](const auto& feed) { return !feed.failure.empty(); });
    if (std::exchange(ended, ended_now) == ended_now && records == before) {
      if (std::exchange(warm, false)) give_memory_back();
      return;
    }
    warm = true;
    info("stream: {}", line_of(counts, records - before, since.seconds()));
    before = records;
    since = {};
  };
  return Watch::start(
      {.metrics = [&streams] { return stream_metrics(streams.counts(), now_ms(), streams.failure().has_value()); },
       .failure = [&streams] { return streams.failure(); },
       .look = look,
       .first = kEvery,
       .every = kEvery},
      listen);
}

}  // namespace pinflow::app
