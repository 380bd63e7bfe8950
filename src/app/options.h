// The command line as values: which command, and every flag it may have. Pure but for `parse`, which prints help.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"

namespace pinflow::app {

enum class Format { table, json, csv };

// Flags that every command understands; they override the pipeline's configuration.
struct Options {
  std::filesystem::path pipeline = "pipelines/pinterest";
  std::filesystem::path data = "data";
  std::string profile = "local";
  std::string source;               // sqlite:///FILE or mysql://…; empty: see source_of
  std::string bootstrap_server;     // empty: the embedded broker's address
  std::string kinesis_endpoint;     // a URL, or "aws"; empty: the embedded service
  std::string lake;                 // a directory; empty: DATA/lake
  std::string engine;               // duckdb or sc://…; empty: the setting, else duckdb
  std::vector<std::string> listen;  // HOST:PORT, or PART=HOST:PORT
  std::filesystem::path command_config;
  std::filesystem::path db_creds;
  Format format = Format::table;
  bool verbose = false;

  // of single commands
  std::optional<int64_t> posts;       // run, emulate, source generate
  bool all = false;                   // run, emulate
  int64_t seed = 100;                 // run, emulate, source generate
  double rate = 0;                    // posts a second: emulate, up
  int connections = 32;               // run, emulate
  int records_per_request = 1;        // run, emulate
  bool course_pace = false;           // emulate
  std::string url;                    // emulate
  bool batch_leg = false;             // emulate, run; neither of these: emulate batch, run both
  bool stream_leg = false;            // emulate, run
  bool replace = false;               // source generate
  std::filesystem::path file;         // gateway, sink, source load
  bool until_caught_up = false;       // sink, stream
  std::string trigger;                // run, up, stream: "100ms"
  std::optional<int64_t> flush_size;  // run, up, sink
  std::string date;                   // batch, query
  std::vector<std::string> versions;  // query, tables show: N, TABLE=N
  std::string at;                     // query, tables show: a moment
  bool all_hours = false;             // tables fold
  std::string keep;                   // tables clean: an interval
  std::string keep_files;             // tables clean: an interval
  std::string step;                   // batch: load, clean, answers, all; empty: clean and answers
  std::string record;                 // batch --step clean: one record type
  bool force = false;                 // batch --date, schedule backfill, runs retry
  int64_t run_id = 0;                 // batch, of a scheduler; runs show, retry, cancel
  int64_t fence = 0;                  // batch, of a scheduler
  bool once = false;                  // schedule
  std::string cron, timezone;         // schedule, instead of the pipeline's
  std::string from, until;            // schedule next: instants; backfill: days; stream: what Spark reads
  int64_t count = 0;                  // schedule next, runs list
  bool keep_repeats = false;          // run, up, stream, batch
  std::vector<std::string> anew;      // run, up, stream: streams and topics
  bool no_auto_create = false;        // broker, up
  std::filesystem::path keys;         // streams, up, run: who may ask the streams' service
  bool shard_limits = false;          // streams, up, run
  bool make_streams = false;          // streams
  std::vector<std::string> names;     // query, tables
  std::string topic;                  // topics, produce, consume
  std::string group;                  // consume
  bool from_beginning = false;        // consume
  int64_t max_messages = -1;          // consume
  int64_t timeout_ms = -1;            // consume
  bool until_end = false;             // consume
  int32_t partitions = 1;             // topics create
  std::vector<std::string> configs;   // topics create: KEY=VALUE
};

struct CommandLine {
  std::string command;  // "run", "source generate", …
  Options options;
};

// Or the exit status, when help or an error was printed: 0 or 2.
using Parsed = std::variant<CommandLine, int>;
Parsed parse(int argc, const char* const* argv);

}  // namespace pinflow::app
