// From sasl.jaas.config and the keys beside it to what librdkafka wants: a user and a password, or a source of tokens.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/client/config.h"
#include "kafka/client/jaas.h"

namespace pinflow::kafka {

struct LoginKeys {
  std::string mechanism;                                                      // sasl.mechanism; empty: not said
  std::optional<Jaas> jaas;                                                   // sasl.jaas.config
  std::function<std::optional<std::string>(std::string_view key)> get;        // any other key of the file
  std::function<Result<std::string>(const std::string& path)> existing_file;  // a path of the file's, or why not
};

// Adds sasl.mechanism and what belongs to it. Names options of the module without a meaning here in `ignored`.
// Errors are without file and line.
Result<> add_login(const LoginKeys& keys, const ConfigOptions& options, ClientConfig& to,
                   std::vector<std::string>& ignored);

}  // namespace pinflow::kafka
