// The commands that run parts until they are stopped: up, broker, gateway, sink. Each prints its addresses and then
// `ready` on standard output, and ends with the exit status.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

// Broker, gateway and sink in one process; with --rate also the emulator. SIGTERM drains: what was acknowledged is in
// objects when it ends.
Result<int> up(const Context& context);
Result<int> run_broker(const Context& context);
// Before the cluster of --bootstrap-server, or of a kafka-rest.properties file.
Result<int> run_gateway(const Context& context);
// The pipeline's topics, or those that a connector's properties file names.
Result<int> run_sink(const Context& context);

}  // namespace pinflow::app
