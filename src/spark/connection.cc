#include "spark/connection.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace pinflow::spark {
namespace {

constexpr std::string_view kScheme = "sc://";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : hex_digit(text[i]) < 0) return false;
  }
  return true;
}

bool is_host(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '[') return text.size() > 2 && text.back() == ']';
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  });
}

// Header names as HTTP/2 wants them, and not those that gRPC keeps to itself.
bool is_header_name(std::string_view name) {
  if (name.empty() || name.starts_with("grpc-") || name.ends_with("-bin")) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
  });
}

bool is_header_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<> take_authority(Connection& connection, std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) {
    return invalid("a connection string names no user before its host: give ;user_id=… and ;token=…");
  }
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  connection.host = authority.substr(0, colon);
  if (!is_host(connection.host)) return invalid("a connection string has the form sc://host:port/;name=value: no host");
  if (colon == std::string_view::npos) return {};
  const auto port = number<int>(authority.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) {
    return invalid("{}{}: the port is a number from 1 to 65535", kScheme, connection.host);
  }
  connection.port = *port;
  return {};
}

Result<> take_boolean(bool& to, std::string_view name, std::string_view value) {
  std::string lower(value);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower != "true" && lower != "false") return invalid("{}={}: it is true or false", name, value);
  to = lower == "true";
  return {};
}

Result<> take_token(Connection& connection, std::string token) {
  if (token.empty()) return invalid("token: it is empty");
  if (!is_header_value(token)) return invalid("token: it holds a character that cannot be sent in a header");
  connection.token = std::move(token);
  return {};
}

// A token implies TLS; without it, it goes to this machine only.
Result<> protect_token(Connection& connection) {
  if (connection.token.empty()) return {};
  connection.tls = !connection.plain;
  if (connection.tls || connection.on_this_machine()) return {};
  return invalid("{}: with use_ssl=false the token would go over the network in clear: take use_ssl away",
                 connection.shown());
}

// Values are not shown: they may be secrets.
Result<> take_parameter(Connection& connection, std::string_view name, std::string value) {
  if (name == "token") {
    return take_token(connection, std::move(value));
  } else if (name == "use_ssl") {
    if (auto taken = take_boolean(connection.tls, name, value); !taken) return taken;
    connection.plain = !connection.tls;
  } else if (name == "user_id") {
    connection.user_id = std::move(value);
  } else if (name == "user_agent") {
    if (!is_header_value(value) || value.size() > 2048) return invalid("user_agent: at most 2048 ASCII characters");
    connection.user_agent = std::move(value);
  } else if (name == "session_id") {
    if (!is_uuid(value)) return invalid("session_id={}: it is a UUID, 00112233-4455-6677-8899-aabbccddeeff", value);
    connection.session_id = std::move(value);
  } else if (name == "grpc_max_message_size") {
    const auto size = number<int64_t>(value);
    if (!size || *size < 1024 || *size > INT32_MAX) {
      return invalid("grpc_max_message_size={}: bytes, from 1024 to {}", value, INT32_MAX);
    }
    connection.max_message = *size;
  } else {
    std::string header(name);
    std::ranges::transform(header, header.begin(), [](unsigned char c) { return std::tolower(c); });
    if (!is_header_name(header)) return invalid("'{}' is neither a parameter nor the name of a header", name);
    if (!is_header_value(value)) return invalid("{}: it holds a character that cannot be sent in a header", name);
    connection.headers.emplace_back(std::move(header), std::move(value));
  }
  return {};
}

}  // namespace

bool is_connection(std::string_view text) { return text.starts_with(kScheme); }

bool Connection::on_this_machine() const {
  const bool digits = std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return host == "localhost" || (host.starts_with("127.") && digits) || host == "[::1]";
}

std::string Connection::shown() const { return fmt::format("{}{}:{}", kScheme, host, port); }

Result<> give_token(Connection& connection, std::string token) {
  if (auto taken = take_token(connection, std::move(token)); !taken)
    return pass(taken.error(), "{}", connection.shown());
  return protect_token(connection);
}

Result<Connection> parse_connection(std::string_view text) {
  if (!is_connection(text)) return invalid("a connection string of Spark begins with sc://");
  text.remove_prefix(kScheme.size());
  const size_t end = text.find_first_of("/;?#");
  Connection connection;
  if (auto taken = take_authority(connection, text.substr(0, end)); !taken) return pass(taken.error());
  std::string_view rest = end == std::string_view::npos ? "" : text.substr(end);
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (!rest.empty() && rest.front() != ';') {
    return invalid("{}: a connection string has no path and no query: parameters stand as /;name=value;name=value",
                   connection.shown());
  }
  std::vector<std::string_view> names;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the ';'
    const size_t next = rest.find(';');
    const std::string_view parameter = rest.substr(0, next);
    rest = next == std::string_view::npos ? "" : rest.substr(next);
    if (parameter.empty() && rest.empty()) break;  // a last ';'
    const size_t equals = parameter.find('=');
    const std::string_view name = parameter.substr(0, equals);
    if (equals == std::string_view::npos || name.empty()) {
      return invalid("{}: each parameter is name=value, and one has no '='", connection.shown());
    }
    if (std::ranges::find(names, name) != names.end())
      return invalid("{}: {} is given twice", connection.shown(), name);
    names.push_back(name);
    auto value = percent_decoded(parameter.substr(equals + 1));
    if (!value) return invalid("{}: {}: a '%' is not followed by two hex digits", connection.shown(), name);
    if (auto taken = take_parameter(connection, name, std::move(*value)); !taken) {
      return pass(taken.error(), "{}", connection.shown());
    }
  }
  if (auto safe = protect_token(connection); !safe) return pass(safe.error());
  return connection;
}

}  // namespace pinflow::spark
