#include "app/stream_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <future>
#include <thread>

#include "app/engine.h"
#include "app/kinesis_endpoint.h"
#include "app/lake_store.h"
#include "app/memory.h"
#include "app/spark_stream_part.h"
#include "app/stream_watch.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "stream/kafka_feed.h"
#include "stream/kinesis_feed.h"

namespace pinflow::app {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kDefaultBroker = "127.0.0.1:9092";
constexpr std::string_view kDefaultKinesis = "http://127.0.0.1:4567";

constexpr milliseconds kShortestLease{500};

bool reads(const pipeline::Pipeline& pipeline, bool topics) {
  return std::ranges::any_of(pipeline.records,
                             [&](const pipeline::RecordType& record) { return record.from_topic == topics; });
}

// Until a stop is asked for, or all workers have failed by themselves.
void wait(const stream::Streams& streams) {
  while (!wait_for_stop(milliseconds(500)) && !streams.all_failed()) continue;
}

Result<std::shared_ptr<const kinesis::Endpoint>> kinesis_of(const Context& context) {
  if (!reads_streams(context.pipeline)) return nullptr;
  if (names_a_kinesis(context)) return named_kinesis(context);
  return kinesis_at(std::string(kDefaultKinesis), "us-east-1", std::nullopt);
}

}  // namespace

std::optional<milliseconds> parse_trigger(std::string_view text) {
  double number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const double factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 0;
  if (factor == 0 || !(number >= 0) || number > 1e6) return std::nullopt;
  return milliseconds(static_cast<int64_t>(number * factor + 0.5));
}

Result<milliseconds> trigger_of(const Context& context) {
  const auto setting = context.pipeline.settings.find("stream.trigger");
  std::string text = context.options.trigger, what = "--trigger";
  if (text.empty() && setting != context.pipeline.settings.end()) {
    text = setting->second;
    what = "the setting stream.trigger";
  }
  if (text.empty()) return stream::StreamOptions{}.trigger;
  const auto trigger = parse_trigger(text);
  if (!trigger || *trigger < milliseconds(10) || *trigger > std::chrono::hours(1))
    return invalid("{} is '{}'; it must be a time from 10ms to 60m, such as 100ms or 1s", what, text);
  return *trigger;
}

bool reads_streams(const pipeline::Pipeline& pipeline) { return reads(pipeline, false); }
bool reads_topics(const pipeline::Pipeline& pipeline) { return reads(pipeline, true); }

Result<std::unique_ptr<stream::Streams>> start_stream(const Context& context, const pipeline::Pipeline& pipeline,
                                                      object::Store& lake,
                                                      std::shared_ptr<const kinesis::Endpoint> kinesis,
                                                      const kafka::ClientConfig& kafka) {
  auto trigger = trigger_of(context);
  if (!trigger) return pass(trigger.error());
  stream::StreamOptions options;
  options.trigger = *trigger;
  options.anew.insert(context.options.anew.begin(), context.options.anew.end());
  if (const auto lease = pipeline.settings.find("stream.lease"); lease != pipeline.settings.end()) {
    const auto length = parse_trigger(lease->second);
    if (!length || *length < kShortestLease || *length > std::chrono::hours(1))
      return invalid("the setting stream.lease is '{}'; it must be a time from 500ms to 60m", lease->second);
    options.lease = *length;
  }
  std::vector<stream::FeedOfRecords> feeds;
  for (stream::FeedPlan& plan : stream::feeds_of(pipeline)) {
    auto feed = plan.kind == stream::FeedPlan::Kind::kafka ? stream::kafka_feed(kafka, plan.name)
                                                           : stream::kinesis_feed(kinesis, plan.name);
    feeds.push_back({std::move(feed), std::move(plan.records)});
  }
  return stream::Streams::start(pipeline, lake, std::move(feeds), options);
}

pipeline::Pipeline with_stream_repeats(const Context& context) {
  pipeline::Pipeline pipeline = context.pipeline;
  if (context.options.keep_repeats) pipeline.repeats.stream_drop = false;
  return pipeline;
}

Result<> catch_up(stream::Streams& streams, std::optional<milliseconds> limit) {
  auto caught_up = std::async(std::launch::async, [&] { return streams.catch_up(limit); });
  while (caught_up.wait_for(milliseconds(5)) != std::future_status::ready) {
    if (limit || !stop_requested()) continue;
    (void)streams.stop();
    break;
  }
  const auto done = caught_up.get();
  if (!done) return pass(done.error());
  return {};
}

int64_t records_of(const stream::StreamCounts& counts) {
  int64_t sum = 0;
  for (const stream::FeedCounts& feed : counts.feeds) {
    sum += feed.unrouted;
    for (const lake::RecordReport& record : feed.records) sum += record.raw;
  }
  return sum;
}

void take(const stream::StreamCounts& counts, const pipeline::Pipeline& pipeline, LegCounts& c) {
  int64_t unrouted = 0;
  for (const pipeline::RecordType& type : pipeline.records) {
    for (const stream::FeedCounts& feed : counts.feeds) {
      const auto record = std::ranges::find(feed.records, type.name, &lake::RecordReport::record);
      if (record == feed.records.end()) continue;
      c.raw.emplace_back(type.name, record->raw);
      c.clean.emplace_back(type.name, record->clean);
      c.duplicates.emplace_back(type.name, record->duplicates);
      c.dead.emplace_back(type.name, record->dead);
      c.tables_before.emplace_back(type.name, std::max<int64_t>(record->before, 0));
      c.tables.emplace_back(type.name, std::max<int64_t>(record->after, 0));
      for (const auto& [what, count] : record->noted) {
        if (count > 0) c.noted.emplace_back(type.name + "." + what, count);
      }
    }
  }
  for (const stream::FeedCounts& feed : counts.feeds) {
    c.objects += feed.files;
    unrouted += feed.unrouted;
  }
  if (unrouted > 0) {
    c.raw.emplace_back("unrouted", unrouted);
    c.dead.emplace_back("unrouted", unrouted);
  }
  c.records_in_objects = records_of(counts);
}

std::string as_line(const stream::StreamCounts& counts) {
  int64_t clean = 0, repeats = 0, dead = 0, commits = 0;
  for (const stream::FeedCounts& feed : counts.feeds) {
    commits += feed.commits;
    dead += feed.unrouted;
    for (const lake::RecordReport& record : feed.records) {
      clean += record.clean;
      repeats += record.duplicates;
      dead += record.dead;
    }
  }
  std::string ended;
  for (const stream::FeedCounts& feed : counts.feeds) {
    if (!feed.failure.empty()) ended += fmt::format("{}{}", ended.empty() ? "; ended by an error: " : ", ", feed.title);
  }
  return fmt::format("{} rows in {} commits, {} repeats, {} dead{}", grouped(clean), grouped(commits), grouped(repeats),
                     grouped(dead), ended);
}

Result<int> run_stream(const Context& context) {
  keep_memory_warm();
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  if (context.options.until_caught_up) {
    if (auto reached = check_lake(**lake); !reached) return pass(reached.error());
  }
  auto spark = engine_of(context, **lake);
  if (!spark) return pass(spark.error());
  if (*spark) return run_stream_on_spark(context, **lake, std::move(*spark));
  std::optional<Address> metrics;
  if (!context.options.listen.empty()) {
    auto address = listen_address(context, "metrics", true);
    if (!address) return pass(address.error());
    metrics = *address;
  }
  kafka::ClientConfig config;
  if (reads_topics(context.pipeline)) {
    auto named = kafka_config(context, std::string(kDefaultBroker));
    if (!named) return pass(named.error());
    config = std::move(*named);
  }
  auto kinesis = kinesis_of(context);
  if (!kinesis) return pass(kinesis.error());
  tidy_uploads(**lake);
  const pipeline::Pipeline pipeline = with_stream_repeats(context);
  auto streams = start_stream(context, pipeline, **lake, *kinesis, config);
  if (!streams) return pass(streams.error());
  auto watch = watch_streams(**streams, metrics);
  if (!watch) return pass(watch.error());
  if (*kinesis) fmt::print("{:<9} {}\n", "kinesis", (*kinesis)->url());
  if (reads_topics(context.pipeline)) fmt::print("{:<9} {}\n", "kafka", config.bootstrap_servers);
  fmt::print("{:<9} {}\n", "lake", (*lake)->url());
  if (metrics) fmt::print("{:<9} {}\n", "metrics", (*watch)->address());
  Result<> waited;
  if (context.options.until_caught_up) {
    waited = catch_up(**streams);
  } else {
    fmt::print("ready: Ctrl-C stops\n");
    std::fflush(stdout);
    wait(**streams);
  }
  watch->reset();
  const auto stopped = (*streams)->stop();
  fmt::print("stopped: {}\n", as_line((*streams)->counts()));
  const auto failed = (*streams)->failure();  // which was said
  if (!waited && !(failed && failed->message == waited.error().message)) return pass(waited.error());
  if (!stopped && !failed) return pass(stopped.error());
  return failed ? 1 : 0;
}

}  // namespace pinflow::app
