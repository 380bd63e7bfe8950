#include "stream/streams.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/clock.h"
#include "lake/table_files.h"
#include "stream/caretaker.h"
#include "stream/engine.h"
#include "stream/worker.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLook{5};            // at the workers, while somebody waits for them
constexpr milliseconds kLeaseGrace{5'000};  // beyond a lease's length that catch_up waits for another worker

class AllStreams final : public Streams {
 public:
  AllStreams(const pipeline::Pipeline& pipeline, object::Store& store, std::vector<FeedOfRecords> feeds,
             const StreamOptions& options)
      : options_(options), engine_(pipeline, store, options.memory_bytes, options.threads) {
    std::vector<std::string> tables{lake::kDeadStreamTable};
    for (const FeedOfRecords& feed : feeds) {
      for (const std::string& record : feed.records) tables.push_back(pipeline.find_record(record)->stream_table);
    }
    caretaker_ = std::make_unique<Caretaker>(store, std::move(tables));
    for (FeedOfRecords& feed : feeds)
      workers_.push_back(std::make_unique<Worker>(pipeline, store, engine_, std::move(feed), options));
  }
  ~AllStreams() override { (void)stop(); }

  void begin() {
    for (const auto& worker : workers_) worker->start();
  }

  Result<bool> catch_up(std::optional<milliseconds> limit) override {
    const auto began = Clock::now();
    const int64_t until = now_ms();
    for (const auto& worker : workers_) worker->hurry(until);
    for (;;) {
      bool all = true;
      for (const auto& worker : workers_) {
        if (worker->complete(until) || worker->failure()) continue;
        all = false;
        if (worker->waiting() > options_.lease + kLeaseGrace) {
          return unavailable("{} is with another worker, {}: what comes is in its hands; stop that one to work here",
                             worker->counts().title, worker->holder());
        }
      }
      if (all) {
        if (const auto failed = failure()) return std::unexpected(*failed);
        return true;
      }
      if (stopped_) return fail(Code::cancelled, "the stream workers were stopped");
      if (limit && Clock::now() - began >= *limit) return false;
      std::this_thread::sleep_for(kLook);
    }
  }

  Result<> stop() override {
    stopped_ = true;
    for (const auto& worker : workers_) worker->stop();
    for (const auto& worker : workers_) worker->join();
    caretaker_.reset();
    if (const auto failed = failure()) return std::unexpected(*failed);
    return {};
  }

  StreamCounts counts() const override {
    StreamCounts counts;
    for (const auto& worker : workers_) counts.feeds.push_back(worker->counts());
    return counts;
  }

  std::optional<Error> failure() const override {
    for (const auto& worker : workers_) {
      if (auto failure = worker->failure()) return failure;
    }
    return std::nullopt;
  }

  bool all_failed() const override {
    return std::ranges::all_of(workers_, [](const auto& worker) { return worker->failure().has_value(); });
  }

 private:
  const StreamOptions options_;
  Engine engine_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Caretaker> caretaker_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

std::vector<FeedPlan> feeds_of(const pipeline::Pipeline& pipeline) {
  std::vector<FeedPlan> feeds;
  for (const pipeline::RecordType& record : pipeline.records) {
    const auto kind = record.from_topic ? FeedPlan::Kind::kafka : FeedPlan::Kind::kinesis;
    const std::string& name = record.from_topic ? record.topic : record.stream;
    const auto same = [&](const FeedPlan& feed) { return feed.kind == kind && feed.name == name; };
    const auto found = std::ranges::find_if(feeds, same);
    if (found != feeds.end()) found->records.push_back(record.name);
    else feeds.push_back({kind, name, {record.name}});
  }
  return feeds;
}

Result<std::unique_ptr<Streams>> Streams::start(const pipeline::Pipeline& pipeline, object::Store& store,
                                                std::vector<FeedOfRecords> feeds, const StreamOptions& options) {
  if (options.trigger < milliseconds(10) || options.trigger > std::chrono::hours(1)) {
    return invalid("a trigger of {} ms: it must be 10 ms to an hour", options.trigger.count());
  }
  for (const std::string& name : options.anew) {
    const auto is = [&](const FeedOfRecords& feed) { return feed.feed->name() == name; };
    if (std::ranges::none_of(feeds, is))
      return not_found("--anew {}: the pipeline reads no such stream or topic", name);
  }
  for (const FeedOfRecords& feed : feeds) {
    for (const std::string& name : feed.records) {
      if (pipeline.find_record(name) == nullptr) return not_found("the pipeline has no record type '{}'", name);
    }
  }
  auto streams = std::make_unique<AllStreams>(pipeline, store, std::move(feeds), options);
  streams->begin();
  return streams;
}

}  // namespace pinflow::stream
