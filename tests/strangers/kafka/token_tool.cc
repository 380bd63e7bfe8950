// MSK's IAM tokens as this program makes them, for a test that holds them against AWS's own signer. Each line of
// standard input is a JSON object, each line of output the token:
//   {"region":,"key":,"secret":,"token":,"now_ms":}      signed with these keys
//   {"properties":,"servers":}                           by a client.properties file, with the machine's own keys
#include <fmt/format.h>
#include <simdjson.h>

#include <iostream>
#include <string>

#include "kafka/client/config.h"
#include "kafka/client/msk_token.h"

int main() {
  using namespace pinflow;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    const simdjson::dom::element call = parser.parse(line);
    const auto text = [&](const char* name) { return std::string(call[name].get_string().value()); };
    if (call["properties"].error() == simdjson::SUCCESS) {
      const auto file = Properties::read(text("properties"));
      if (!file) return fmt::print(stderr, "{}\n", file.error().message), 1;
      const auto config = kafka::client_config(text("servers"), &*file);
      if (!config) return fmt::print(stderr, "{}\n", config.error().message), 1;
      const auto token = config->tokens->get();
      if (!token) return fmt::print(stderr, "{}\n", token.error().message), 1;
      fmt::print("{}\n", token->value);
    } else {
      const aws::Credentials keys{text("key"), text("secret"), text("token"), {}};
      fmt::print("{}\n", kafka::msk_token(text("region"), keys, call["now_ms"].get_int64().value()));
    }
  }
}
