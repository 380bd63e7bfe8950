#include "kafka/client/config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/logging.h"

namespace pinflow::kafka {
namespace {

struct Renamed {
  std::string_view java;
  std::string_view librdkafka;
};

// Keys whose value means the same under another name, or the same one.
constexpr std::array kRenamed = {
    Renamed{"client.id", "client.id"},
    Renamed{"client.rack", "client.rack"},
    Renamed{"security.protocol", "security.protocol"},
    Renamed{"sasl.mechanism", "sasl.mechanism"},
    Renamed{"sasl.mechanisms", "sasl.mechanism"},
    Renamed{"sasl.username", "sasl.username"},
    Renamed{"sasl.password", "sasl.password"},
    Renamed{"sasl.kerberos.service.name", "sasl.kerberos.service.name"},
    Renamed{"ssl.ca.location", "ssl.ca.location"},
    Renamed{"ssl.ca.pem", "ssl.ca.pem"},
    Renamed{"ssl.certificate.location", "ssl.certificate.location"},
    Renamed{"ssl.certificate.pem", "ssl.certificate.pem"},
    Renamed{"ssl.key.location", "ssl.key.location"},
    Renamed{"ssl.key.pem", "ssl.key.pem"},
    Renamed{"ssl.key.password", "ssl.key.password"},
    Renamed{"ssl.crl.location", "ssl.crl.location"},
    Renamed{"ssl.truststore.certificates", "ssl.ca.pem"},
    Renamed{"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    Renamed{"ssl.keystore.key", "ssl.key.pem"},
    Renamed{"enable.ssl.certificate.verification", "enable.ssl.certificate.verification"},
    Renamed{"request.timeout.ms", "socket.timeout.ms"},
    Renamed{"send.buffer.bytes", "socket.send.buffer.bytes"},
    Renamed{"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    Renamed{"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms"},
    Renamed{"connections.max.idle.ms", "connections.max.idle.ms"},
    Renamed{"metadata.max.age.ms", "metadata.max.age.ms"},
    Renamed{"reconnect.backoff.ms", "reconnect.backoff.ms"},
    Renamed{"reconnect.backoff.max.ms", "reconnect.backoff.max.ms"},
    Renamed{"retry.backoff.ms", "retry.backoff.ms"},
};

// Read together with others below.
constexpr std::array<std::string_view, 8> kCombined = {
    "bootstrap.servers",       "sasl.jaas.config",      "ssl.truststore.location", "ssl.truststore.type",
    "ssl.truststore.password", "ssl.keystore.location", "ssl.keystore.type",       "ssl.keystore.password"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

// "PLAINTEXT://a:9092, b:9092" -> "a:9092,b:9092": kafka-rest's files name the protocol, which security.protocol tells.
std::string plain_servers(std::string_view servers) {
  std::string out;
  while (!servers.empty()) {
    const size_t comma = servers.find(',');
    std::string one = trimmed(servers.substr(0, comma));
    servers.remove_prefix(comma == std::string_view::npos ? servers.size() : comma + 1);
    if (const size_t scheme = one.find("://"); scheme != std::string::npos) one.erase(0, scheme + 3);
    if (one.empty()) continue;
    if (!out.empty()) out += ',';
    out += one;
  }
  return out;
}

// `name="value"` in a JAAS line; quotes of either kind, \" inside them, or none.
std::optional<std::string> jaas_option(std::string_view line, std::string_view name) {
  for (size_t at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    const bool whole = at > 0 && std::isspace(static_cast<unsigned char>(line[at - 1]));
    size_t i = at + name.size();
    while (i < line.size() && line[i] == ' ') ++i;
    if (!whole || i >= line.size() || line[i] != '=') continue;
    ++i;
    while (i < line.size() && line[i] == ' ') ++i;
    std::string value;
    if (i < line.size() && (line[i] == '"' || line[i] == '\'')) {
      const char quote = line[i++];
      for (; i < line.size() && line[i] != quote; ++i) {
        if (line[i] == '\\' && i + 1 < line.size()) ++i;
        value += line[i];
      }
    } else {
      for (; i < line.size() && line[i] != ' ' && line[i] != ';'; ++i) value += line[i];
    }
    return value;
  }
  return std::nullopt;
}

// One file's keys on their way into a ClientConfig.
class Mapper {
 public:
  Mapper(const Properties& file, std::string_view prefix, ClientConfig& config)
      : file_(file), prefix_(prefix), config_(config) {}

  Result<> map() {
    if (const Property* servers = find("bootstrap.servers"); servers && config_.bootstrap_servers.empty()) {
      config_.bootstrap_servers = plain_servers(servers->value);
    } else if (const Property* plain = file_.find("bootstrap.servers"); plain && config_.bootstrap_servers.empty()) {
      config_.bootstrap_servers = plain_servers(plain->value);
    }
    if (const Property* mechanism = find("sasl.mechanism"); mechanism && mechanism->value == "AWS_MSK_IAM") {
      return unsupported(
          "{}: sasl.mechanism AWS_MSK_IAM is not spoken yet: MSK IAM comes with the profiles. Until then use a "
          "listener "
          "of the cluster with SASL/SCRAM, TLS or no authentication",
          where(*mechanism));
    }
    for (const Property& property : file_.all()) {
      if (property.key.starts_with(prefix_)) simple(property);
    }
    if (auto done = jaas(); !done) return done;
    if (auto done = trust_store(); !done) return done;
    if (auto done = key_store(); !done) return done;
    if (!ignored_.empty()) {
      info("{}: ignored, as without a meaning here: {}", file_.file(), fmt::join(ignored_, ", "));
    }
    return {};
  }

 private:
  const Property* find(std::string_view key) const { return file_.find(std::string(prefix_) + std::string(key)); }
  std::string where(const Property& property) const { return fmt::format("{}:{}", file_.file(), property.line); }
  void put(std::string_view key, std::string value) { config_.properties.emplace_back(key, std::move(value)); }

  void simple(const Property& property) {
    const std::string_view key = std::string_view(property.key).substr(prefix_.size());
    if (key == "ssl.endpoint.identification.algorithm") {
      put(key, trimmed(property.value).empty() ? "none" : lower(trimmed(property.value)));
      return;
    }
    if (auto renamed = std::ranges::find(kRenamed, key, &Renamed::java); renamed != kRenamed.end()) {
      std::string value =
          key == "sasl.password" || key == "ssl.key.password" ? property.value : trimmed(property.value);
      if (key == "security.protocol") value = lower(value);
      put(renamed->librdkafka, std::move(value));
      return;
    }
    if (std::ranges::find(kCombined, key) == kCombined.end()) ignored_.push_back(property.key);
  }

  Result<> jaas() {
    const Property* line = find("sasl.jaas.config");
    if (!line) return {};
    const bool plain = line->value.find("PlainLoginModule") != std::string::npos;
    const bool scram = line->value.find("ScramLoginModule") != std::string::npos;
    if (!plain && !scram) {
      return unsupported(
          "{}: {} names a login module that is not known here; PlainLoginModule and ScramLoginModule are", where(*line),
          line->key);
    }
    auto user = jaas_option(line->value, "username");
    auto password = jaas_option(line->value, "password");
    if (!user || !password) return invalid("{}: {} lacks username=\"…\" or password=\"…\"", where(*line), line->key);
    put("sasl.username", std::move(*user));
    put("sasl.password", std::move(*password));
    if (plain && !find("sasl.mechanism")) put("sasl.mechanism", "PLAIN");
    return {};
  }

  // The kind of a store: what ssl.*.type says, else by the file's name; Java's own default is JKS.
  std::string kind(const Property* type, const Property& location) const {
    if (type) return lower(trimmed(type->value));
    const std::string name = lower(location.value);
    if (name.ends_with(".pem") || name.ends_with(".crt")) return "pem";
    return name.ends_with(".p12") || name.ends_with(".pfx") ? "pkcs12" : "jks";
  }

  Result<> trust_store() {
    const Property* location = find("ssl.truststore.location");
    if (!location) return {};
    if (kind(find("ssl.truststore.type"), *location) == "pem") {
      put("ssl.ca.location", trimmed(location->value));
      return {};
    }
    // The trust store that Java itself brings means: the certificates that the system trusts.
    if (location->value.ends_with("cacerts") || location->value.ends_with("kafka.client.truststore.jks")) {
      info("{}: {} is taken as the system's trusted certificates", where(*location), location->key);
      return {};
    }
    return unsupported(
        "{}: {} is a Java key store, which is not read here. Export its certificates (keytool -list -rfc -keystore "
        "FILE "
        "> ca.pem) and set ssl.ca.location=ca.pem instead",
        where(*location), location->key);
  }

  Result<> key_store() {
    const Property* location = find("ssl.keystore.location");
    if (!location) return {};
    const std::string type = kind(find("ssl.keystore.type"), *location);
    if (type == "pem") {
      put("ssl.certificate.location", trimmed(location->value));
      put("ssl.key.location", trimmed(location->value));
    } else if (type == "pkcs12") {
      put("ssl.keystore.location", trimmed(location->value));
      if (const Property* password = find("ssl.keystore.password")) put("ssl.keystore.password", password->value);
    } else {
      return unsupported(
          "{}: {} is a Java key store, which is not read here. Convert it (keytool -importkeystore -srckeystore FILE "
          "-destkeystore client.p12 -deststoretype PKCS12) and set ssl.keystore.type=PKCS12",
          where(*location), location->key);
    }
    return {};
  }

  const Properties& file_;
  std::string_view prefix_;
  ClientConfig& config_;
  std::vector<std::string> ignored_;
};

}  // namespace

std::string ClientConfig::security_protocol() const {
  std::string protocol = "plaintext";
  for (const auto& [key, value] : properties) {
    if (key == "security.protocol") protocol = lower(value);
  }
  return protocol;
}

Result<ClientConfig> client_config(std::string bootstrap_servers, const Properties* file, std::string_view prefix) {
  ClientConfig config;
  config.bootstrap_servers = plain_servers(bootstrap_servers);
  if (file) {
    if (auto mapped = Mapper(*file, prefix, config).map(); !mapped) return pass(mapped.error());
  }
  if (config.bootstrap_servers.empty()) {
    return invalid("no Kafka cluster is named: give --bootstrap-server HOST:PORT{}",
                   file ? fmt::format(", or bootstrap.servers in {}", file->file()) : "");
  }
  return config;
}

}  // namespace pinflow::kafka
