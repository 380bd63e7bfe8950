// The stream workers as the commands hold them: over the pipeline's streams and topics, into the lake. Owned by a
// command (run, up, stream); started and stopped by its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/context.h"
#include "app/counts.h"
#include "base/error.h"
#include "kafka/client/config.h"
#include "kinesis/client/endpoint.h"
#include "object/store.h"
#include "stream/streams.h"

namespace pinflow::app {

// "100ms", "1s", "2.5s", "1m"; nothing: no such time.
std::optional<std::chrono::milliseconds> parse_trigger(std::string_view text);

// --trigger, else the setting stream.trigger, else one second. invalid: no time from 10 ms to an hour.
Result<std::chrono::milliseconds> trigger_of(const Context& context);

// Whether the pipeline's streaming leg reads anything from there.
bool reads_streams(const pipeline::Pipeline& pipeline);
bool reads_topics(const pipeline::Pipeline& pipeline);

// Starts the workers. `pipeline` (the context's, or one made of it) and `lake` outlive them.
Result<std::unique_ptr<stream::Streams>> start_stream(const Context& context, const pipeline::Pipeline& pipeline,
                                                      object::Store& lake,
                                                      std::shared_ptr<const kinesis::Endpoint> kinesis,
                                                      const kafka::ClientConfig& kafka);

// The same with the context's repeats (--keep-repeats).
pipeline::Pipeline with_stream_repeats(const Context& context);

// Until all that was there is in the tables, as long as no stop is asked for (cancelled); with a limit: at most so
// long.
Result<> catch_up(stream::Streams& streams, std::optional<std::chrono::milliseconds> limit = std::nullopt);

// Records that all workers have taken, dead ones among them.
int64_t records_of(const stream::StreamCounts& counts);
// What the workers have counted, into the leg's counts: raw, clean, duplicates, dead, noted, tables, objects (files).
void take(const stream::StreamCounts& counts, const pipeline::Pipeline& pipeline, LegCounts& into);
// "1,200 rows in 12 commits, 3 repeats, 1 dead", and which workers have ended by an error.
std::string as_line(const stream::StreamCounts& counts);

// `pinflow stream`: the workers by themselves, before any Kinesis service and Kafka cluster, until they are stopped or,
// with --until-caught-up, all is in the tables. A worker that ends by an error does not end the others: then the status
// is 1 at the end.
Result<int> run_stream(const Context& context);

}  // namespace pinflow::app
