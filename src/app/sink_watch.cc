#include "app/sink_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/logging.h"

namespace pinflow::app {
namespace {

using namespace std::chrono_literals;
constexpr auto kEvery = 10s;
constexpr auto kFirst = 2s;  // lags are known soon after the start

int64_t handled(const sink::SinkCounts& counts) { return counts.in_objects + counts.dead + counts.skipped; }

}  // namespace

SinkWatch::SinkWatch(const sink::Sink& sink, std::unique_ptr<kafka::Consumer> questioner)
    : sink_(sink), questioner_(std::move(questioner)) {}

Result<std::unique_ptr<SinkWatch>> SinkWatch::start(const sink::Sink& sink, const kafka::ClientConfig& config,
                                                    const std::optional<Address>& listen) {
  kafka::ConsumerOptions options;
  options.client_id = "pinflow-sink-watch";
  auto questioner = kafka::Consumer::open(config, options);
  if (!questioner) return pass(questioner.error());
  auto one = std::unique_ptr<SinkWatch>(new SinkWatch(sink, std::move(*questioner)));
  SinkWatch& self = *one;
  auto watch = Watch::start(
      {.metrics = [&self] { return sink_metrics(self.sink_.counts(), self.lags(), self.sink_.failure().has_value()); },
       .failure = [&self] { return self.sink_.failure(); },
       .look = [&self](const std::stop_token& stop) { self.look(stop); },
       .first = kFirst,
       .every = kEvery},
      listen);
  if (!watch) return pass(watch.error());
  one->watch_ = std::move(*watch);
  return one;
}

Lags SinkWatch::lags() const {
  const std::lock_guard lock(mutex_);
  return lags_;
}

void SinkWatch::look(const std::stop_token& stop) {
  const sink::SinkCounts counts = sink_.counts();
  refresh_lags(counts, stop);
  if (std::exchange(first_, false)) return;
  const Lags lags = this->lags();
  if (handled(counts) == handled(before_) && lags == said_) return;
  info("sink: {}", sink_line(counts, before_, since_.seconds(), lags));
  before_ = counts;
  said_ = lags;
  since_ = {};
}

// Asks the cluster; a partition that it does not answer for keeps what was known.
void SinkWatch::refresh_lags(const sink::SinkCounts& counts, const std::stop_token& stop) {
  Lags lags;
  for (const sink::PartitionCounts& one : counts.partitions) {
    if (stop.stop_requested()) return;
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

}  // namespace pinflow::app
