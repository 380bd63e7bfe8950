// Spark's connection string: sc://host:port/;name=value;… as Spark documents it for all its clients, which is also how
// Databricks is reached. Pure.
// (Source: sql/connect/docs/client-connection-string.md of Apache Spark; Databricks Connect for
// `x-databricks-cluster-id`.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::spark {

inline constexpr int kDefaultPort = 15002;
inline constexpr int64_t kMaxMessage = int64_t{128} << 20;  // bytes of one gRPC message, as in Spark's own clients

struct Connection {
  std::string host;
  int port = kDefaultPort;
  bool tls = false;        // use_ssl, or implied by a token
  bool plain = false;      // use_ssl=false was said
  std::string token;       // sent as "authorization: Bearer …", never shown
  std::string user_id;     // empty: the name of the user who runs the program
  std::string user_agent;  // put before our own
  std::string session_id;  // a UUID; empty: a new one
  int64_t max_message = kMaxMessage;
  std::vector<std::pair<std::string, std::string>> headers;  // every other parameter, e.g. x-databricks-cluster-id
  std::string ca_file;  // PEM, not of the string: authorities to trust; empty: the system's

  // "sc://host:port": what messages may show.
  std::string shown() const;

  // By its name: localhost or a loopback address.
  bool on_this_machine() const;
};

// Values are percent-decoded; names are case-sensitive. invalid: another scheme, a path, a parameter without '=', a
// parameter given twice, a port or number out of range, a session_id that is no UUID, use_ssl=false with a token for a
// host other than this machine (the token would go over the wire in clear).
Result<Connection> parse_connection(std::string_view text);

// As if the string had said ;token=…. invalid: the token cannot be sent, or would go over the network in clear.
Result<> give_token(Connection& connection, std::string token);

// Whether text begins as a connection string does.
bool is_connection(std::string_view text);

}  // namespace pinflow::spark
