// The gateway and its log in one process, as `pinflow up` wires them, for the gateway's bench.
//   gateway_server DIR [THREADS]     prints the port; ends with its standard input
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "gateway/gateway.h"
#include "kafka/broker/local_writer.h"
#include "log/log.h"

int main(int argc, char** argv) {
  using namespace pinflow;
  if (argc < 2) {
    fmt::print(stderr, "usage: gateway_server DIR [THREADS]\n");
    return 2;
  }
  auto log = log::Log::open(argv[1], {});
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().message);
    return 1;
  }
  kafka::LocalTopicWriter writer(**log, {});
  gateway::GatewayOptions options;
  if (argc > 2) options.http.threads = std::atoi(argv[2]);
  auto gateway = gateway::Gateway::start(std::move(options), writer);
  if (!gateway) {
    fmt::print(stderr, "{}\n", gateway.error().message);
    return 1;
  }
  fmt::print("{}\n", (*gateway)->port());
  std::fflush(stdout);
  for (char c; ::read(STDIN_FILENO, &c, 1) > 0;) {
  }
  (*gateway)->stop();
}
