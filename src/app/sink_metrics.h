// What a running sink tells of itself, as Prometheus reads it and as one line of the log. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "kafka/client/consumer.h"
#include "sink/sink.h"

namespace pinflow::app {

// Records of a partition that are in the topic and not yet durable in the lake.
using Lags = std::map<kafka::TopicPartition, int64_t>;

// Prometheus's text format 0.0.4.
std::string sink_metrics(const sink::SinkCounts& counts, const Lags& lags, bool failed);

// "1,200 records in 12 objects (+200 records in 10 s), 3 dead, 1.2 MB, 7 records behind (local.pin 7)"
std::string sink_line(const sink::SinkCounts& counts, const sink::SinkCounts& before, double seconds, const Lags& lags);

}  // namespace pinflow::app
