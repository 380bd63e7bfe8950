// The watch of running stream workers: a line in the log every ten seconds in which something changed, and their
// metrics.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/watch.h"
#include "stream/streams.h"

namespace pinflow::app {

// Prometheus's text format 0.0.4. `now_ms`: for how far each stream is behind. Pure.
std::string stream_metrics(const stream::StreamCounts& counts, int64_t now_ms, bool failed);

// The workers outlive it.
Result<std::unique_ptr<Watch>> watch_streams(const stream::Streams& streams, const std::optional<Address>& listen);

}  // namespace pinflow::app
