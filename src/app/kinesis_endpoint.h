// Which Kinesis service the commands speak to, and with whose keys.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/context.h"
#include "app/kinesis_part.h"
#include "aws/credentials.h"
#include "base/error.h"
#include "kinesis/client/endpoint.h"

namespace pinflow::app {

// Whether the user named a Kinesis service (--kinesis-endpoint, the setting kinesis.endpoint): otherwise the embedded
// one is meant.
bool names_a_kinesis(const Context& context);

// The service that the user named, a URL, or `aws`: AWS's own of the region. The region is that of the setting
// kinesis.region, else the one in AWS's URL, else the environment's. The keys are those of the credentials chain; where
// it is on this machine and the environment has none, any. invalid: no URL; not_found: the user named none.
Result<std::shared_ptr<const kinesis::Endpoint>> named_kinesis(const Context& context, int attempts = 8,
                                                               int timeout_ms = 30'000);

// One on this machine: `keys` are some that it takes; nothing: any.
Result<std::shared_ptr<const kinesis::Endpoint>> kinesis_at(const std::string& url, const std::string& region,
                                                            std::optional<aws::Credentials> keys, int attempts = 8);

// The Kinesis service of a process that has one: the embedded service, or the one that the user named.
struct KinesisEnd {
  std::unique_ptr<EmbeddedStreams> embedded;             // nothing: the user named another
  std::shared_ptr<const kinesis::Endpoint> for_gateway;  // tells its client soon
  std::shared_ptr<const kinesis::Endpoint> for_workers;  // tries longer
  void stop() {
    if (embedded) embedded->stop();
  }
};

// Starts the embedded service where the user named none. The pipeline's streams are there when it returns: those that
// are missing are made, of one shard each; but not on AWS, where they cost money: there they are warned of.
Result<KinesisEnd> open_kinesis(const Context& context, const Address& listen, bool warns = true);

// How often a gateway tries to connect before it tells its client.
inline constexpr int kGatewayAttempts = 3;

}  // namespace pinflow::app
