// How this program's clients reach a Kafka cluster: librdkafka's properties, made from --bootstrap-server and from
// the Java properties files of the original set-up. A plain value; holds secrets, so it is never printed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/properties.h"

namespace pinflow::kafka {

struct ClientConfig {
  std::string bootstrap_servers;                                // "host:port,host:port"
  std::vector<std::pair<std::string, std::string>> properties;  // others, under librdkafka's names

  // "plaintext" unless the properties say otherwise; lower case.
  std::string security_protocol() const;
};

// From a Java client's properties (`client.properties`, or with prefix "client." `kafka-rest.properties`): of the keys
// that begin with `prefix` each is mapped to librdkafka's, or named as ignored in one info line. `bootstrap_servers`,
// where not empty, wins over the file's; one of the two must be there. Where a prefix is asked for,
// `bootstrap.servers` without it counts too. sasl.mechanism AWS_MSK_IAM and Java key stores are `unsupported`, naming
// file and line and what to use instead.
Result<ClientConfig> client_config(std::string bootstrap_servers, const Properties* file = nullptr,
                                   std::string_view prefix = "");

}  // namespace pinflow::kafka
