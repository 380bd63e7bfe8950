// How this program's clients reach a Kafka cluster: librdkafka's properties, made from --bootstrap-server and from
// the Java properties files of the original set-up. A plain value; holds secrets, so it is never printed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/environment.h"
#include "base/error.h"
#include "base/properties.h"
#include "kafka/client/token.h"

namespace pinflow::kafka {

struct ClientConfig {
  std::string bootstrap_servers;                                // "host:port,host:port"
  std::vector<std::pair<std::string, std::string>> properties;  // others, under librdkafka's names
  std::shared_ptr<TokenSource> tokens = nullptr;                // where sasl.mechanism is OAUTHBEARER
  bool msk_iam = false;                                         // these are Amazon MSK's

  // The last value of a property; empty where there is none.
  std::string get(std::string_view key) const;
  // "plaintext" unless the properties say otherwise; lower case.
  std::string security_protocol() const;
  bool uses_tls() const { return security_protocol().ends_with("ssl"); }
  bool uses_sasl() const { return security_protocol().starts_with("sasl_"); }
};

struct ConfigOptions {
  // Whose keys count: those that begin with one of these, the later laid over the earlier. kafka-rest.properties has
  // "client." for all its clients and "producer.", "consumer.", "admin." for one kind.
  // Where no prefix is asked for, and security stands behind "client." only, the file is taken for a
  // kafka-rest.properties: its "client." keys count.
  std::vector<std::string> prefixes = {""};
  std::string aws_profile;  // for MSK's IAM, where sasl.jaas.config names none; empty: as AWS_PROFILE says
  std::string aws_region;   // for MSK's IAM, where neither the brokers' names nor the environment tell one
  aws::Environment environment = aws::Environment::of_this_process();
};

// From a Java client's properties: each key is mapped to librdkafka's, or named as ignored in one info line.
// `bootstrap_servers`, where not empty, wins over the file's; one of the two must be there. Where a prefix is asked
// for, `bootstrap.servers` without it counts too. ${NAME} in a value is the environment's variable. Reads the stores
// of keys that the file names. invalid, unsupported, not_found, denied (a store's password): with file and line, what
// is wrong and what to do. Asks no service: tokens are fetched when a client connects.
Result<ClientConfig> client_config(std::string bootstrap_servers, const Properties* file = nullptr,
                                   const ConfigOptions& options = {});

}  // namespace pinflow::kafka
