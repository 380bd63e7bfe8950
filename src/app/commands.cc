#include "app/commands.h"

#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "app/context.h"
#include "app/doctor.h"
#include "app/engine.h"
#include "app/export_command.h"
#include "app/kinesis_part.h"
#include "app/options.h"
#include "app/parts.h"
#include "app/portable_check.h"
#include "app/posting.h"
#include "app/reading.h"
#include "app/run.h"
#include "app/schedule_batch.h"
#include "app/schedule_commands.h"
#include "app/schedule_runs.h"
#include "app/source_commands.h"
#include "app/stream_part.h"
#include "app/table_commands.h"
#include "app/topic_commands.h"
#include "base/logging.h"
#include "base/shutdown.h"

namespace pinflow::app {
namespace {

using Command = Result<int> (*)(const Context&);

Result<int> stream(const Context& context) {
  if (!context.options.from.empty() && !names_an_engine(context)) {
    return invalid(
        "--from {} says what Spark reads, and the engine is duckdb: there each record type says in pipeline.yaml what "
        "feeds it, its stream or, with `from: kafka`, its topic (docs/stream.md). Leave --from away, or name Spark "
        "with --engine sc://HOST:PORT",
        context.options.from);
  }
  return run_stream(context);
}

const std::map<std::string, Command, std::less<>>& commands() {
  static const std::map<std::string, Command, std::less<>> all{
      {"run", run},
      {"up", up},
      {"broker", run_broker},
      {"streams", run_streams},
      {"gateway", run_gateway},
      {"emulate", run_emulate},
      {"sink", run_sink},
      {"stream", stream},
      {"batch", run_batch_command},
      {"topics create", create_topics},
      {"topics list", list_topics},
      {"topics describe", describe_topics},
      {"topics delete", delete_topic},
      {"produce", produce},
      {"consume", consume},
      {"source generate", source_generate},
      {"source load", source_load},
      {"source count", source_count},
      {"query", query},
      {"check", check_pipeline},
      {"export databricks", export_databricks},
      {"tables", tables},
      {"tables show", show_table},
      {"tables fold", fold_table},
      {"tables clean", clean_table},
      {"schedule", run_schedule},
      {"schedule next", show_next_times},
      {"schedule pause", pause_schedule},
      {"schedule resume", resume_schedule},
      {"schedule backfill", backfill},
      {"runs list", list_runs},
      {"runs show", show_run},
      {"runs retry", retry_run},
      {"runs cancel", cancel_run},
  };
  return all;
}

Result<int> execute(const CommandLine& line) {
  if (line.command == "doctor") return doctor(line.options);  // examines a pipeline that cannot be loaded, too
  auto context = load_context(line.options);
  if (!context) return pass(context.error());
  return commands().at(line.command)(*context);
}

}  // namespace

int main(int argc, const char* const* argv) {
  catch_stop_signals();
  const Parsed parsed = parse(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const CommandLine& line = std::get<CommandLine>(parsed);
  if (line.options.verbose) set_logging(Severity::debug);
  const auto done = execute(line);
  std::fflush(stdout);
  if (done) return *done;
  fmt::print(stderr, "pinflow {}: {}\n", line.command, done.error().message);
  return 1;
}

}  // namespace pinflow::app
