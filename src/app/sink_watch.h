// The watch of a running sink: a line in the log every ten seconds in which something changed, and its metrics, with
// how far it lags. Owns the watch and a consumer that only asks for offsets.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "app/sink_metrics.h"
#include "app/watch.h"
#include "base/clock.h"

namespace pinflow::app {

class SinkWatch {
 public:
  // The sink outlives it.
  static Result<std::unique_ptr<SinkWatch>> start(const sink::Sink& sink, const kafka::ClientConfig& config,
                                                  const std::optional<Address>& listen);
  SinkWatch(const SinkWatch&) = delete;
  SinkWatch& operator=(const SinkWatch&) = delete;

  // "127.0.0.1:9400"; empty where nothing is served.
  std::string address() const { return watch_->address(); }

 private:
  SinkWatch(const sink::Sink& sink, std::unique_ptr<kafka::Consumer> questioner);
  void look(const std::stop_token& stop);
  void refresh_lags(const sink::SinkCounts& counts, const std::stop_token& stop);
  Lags lags() const;

  const sink::Sink& sink_;
  const std::unique_ptr<kafka::Consumer> questioner_;  // of the watch's thread, as what follows
  bool first_ = true;
  sink::SinkCounts before_;
  Lags said_;
  Stopwatch since_;

  mutable std::mutex mutex_;  // of lags_
  Lags lags_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace pinflow::app
