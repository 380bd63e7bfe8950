// What every command starts from: the command line and the pipeline, and the addresses and folders that follow from
// both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/options.h"
#include "base/error.h"
#include "kafka/client/config.h"
#include "pipeline/pipeline.h"
#include "source/url.h"

namespace pinflow::app {

struct Context {
  Options options;
  pipeline::Pipeline pipeline;
};

Result<Context> load_context(const Options& options);

// How long `pinflow doctor` asks one service over HTTP.
inline constexpr int kDoctorsAttempts = 2, kDoctorsTimeoutMs = 10'000;

struct Address {
  std::string host;
  uint16_t port = 0;
  std::string text() const;  // "127.0.0.1:8082"
};

// Whether only this machine can reach it.
bool is_loopback(const std::string& host);

// Where the part ("gateway", "broker", "streams") shall listen: --listen, else the pipeline's `<part>.listen` (of the
// streams `kinesis.listen`), else the default.
// In a command that starts one part --listen may be HOST:PORT, in one that starts several it is PART=HOST:PORT
// (`alone` tells which). With `free_port` the default is any free port. An address beyond this machine is
// taken with a warning.
Result<Address> listen_address(const Context& context, std::string_view part, bool alone, bool free_port = false);

// Whether the user named a Kafka cluster: otherwise the embedded broker is meant.
bool names_a_cluster(const Context& context);

// The cluster of --bootstrap-server, else of the setting bootstrap.server; how to log in, of --command-config, else of
// the setting command.config (a path relative to the pipeline's folder). Without any, `embedded` (HOST:PORT).
// A cluster that the user names is then asked: invalid and denied say what is wrong with the configuration or the
// login; one that does not answer is warned of, for it may come yet.
Result<kafka::ClientConfig> kafka_config(const Context& context, const std::string& embedded);
Result<> check_cluster(const kafka::ClientConfig& config);
// Only read, nobody is asked.
Result<kafka::ClientConfig> read_kafka_config(const Context& context, const std::string& embedded);

// --source, else the setting `source`, else what db_creds.yaml or the environment names, else DATA/source.db.
struct SourceChoice {
  source::SourceUrl url;
  bool chosen = false;  // by the user, in one of these ways: then it is never made by ourselves
};
Result<SourceChoice> source_of(const Context& context);

}  // namespace pinflow::app
