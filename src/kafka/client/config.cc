#include "kafka/client/config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/files.h"
#include "base/fill_in.h"
#include "base/logging.h"
#include "kafka/client/key_stores.h"
#include "kafka/client/login.h"

namespace pinflow::kafka {
namespace {

enum class Kind { text, secret, number, boolean, file };

struct Renamed {
  std::string_view java;
  std::string_view librdkafka;
  Kind kind = Kind::text;
};

// Keys whose value means the same under another name, or the same one.
constexpr std::array kRenamed = {
    Renamed{"client.id", "client.id"},
    Renamed{"client.rack", "client.rack"},
    Renamed{"sasl.username", "sasl.username"},
    Renamed{"sasl.password", "sasl.password", Kind::secret},
    Renamed{"ssl.ca.location", "ssl.ca.location", Kind::file},
    Renamed{"ssl.ca.pem", "ssl.ca.pem"},
    Renamed{"ssl.certificate.location", "ssl.certificate.location", Kind::file},
    Renamed{"ssl.certificate.pem", "ssl.certificate.pem"},
    Renamed{"ssl.key.location", "ssl.key.location", Kind::file},
    Renamed{"ssl.key.pem", "ssl.key.pem", Kind::secret},
    Renamed{"ssl.key.password", "ssl.key.password", Kind::secret},
    Renamed{"ssl.crl.location", "ssl.crl.location", Kind::file},
    Renamed{"ssl.truststore.certificates", "ssl.ca.pem"},
    Renamed{"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    Renamed{"ssl.keystore.key", "ssl.key.pem", Kind::secret},
    Renamed{"enable.ssl.certificate.verification", "enable.ssl.certificate.verification", Kind::boolean},
    Renamed{"request.timeout.ms", "socket.timeout.ms", Kind::number},
    Renamed{"send.buffer.bytes", "socket.send.buffer.bytes", Kind::number},
    Renamed{"receive.buffer.bytes", "socket.receive.buffer.bytes", Kind::number},
    Renamed{"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms", Kind::number},
    Renamed{"connections.max.idle.ms", "connections.max.idle.ms", Kind::number},
    Renamed{"metadata.max.age.ms", "metadata.max.age.ms", Kind::number},
    Renamed{"reconnect.backoff.ms", "reconnect.backoff.ms", Kind::number},
    Renamed{"reconnect.backoff.max.ms", "reconnect.backoff.max.ms", Kind::number},
    Renamed{"retry.backoff.ms", "retry.backoff.ms", Kind::number},
};

// Read together with others below.
constexpr std::array<std::string_view, 19> kCombined = {"bootstrap.servers",
                                                        "security.protocol",
                                                        "sasl.mechanism",
                                                        "sasl.mechanisms",
                                                        "sasl.jaas.config",
                                                        "sasl.client.callback.handler.class",
                                                        "sasl.login.callback.handler.class",
                                                        "sasl.oauthbearer.token.endpoint.url",
                                                        "sasl.oauthbearer.client.credentials.client.id",
                                                        "sasl.oauthbearer.client.credentials.client.secret",
                                                        "sasl.oauthbearer.scope",
                                                        "ssl.endpoint.identification.algorithm",
                                                        "ssl.truststore.location",
                                                        "ssl.truststore.type",
                                                        "ssl.truststore.password",
                                                        "ssl.keystore.location",
                                                        "ssl.keystore.type",
                                                        "ssl.keystore.password",
                                                        "sasl.kerberos.service.name"};

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

// One file's keys on their way into a ClientConfig.
class Mapper {
 public:
  Mapper(const Properties& file, const ConfigOptions& options, ClientConfig& config)
      : file_(file), options_(options), prefixes_(options.prefixes), config_(config) {}

  Result<> map() {
    if (prefixes_ == std::vector<std::string>{""} && !has_security("") && has_security("client.")) {
      prefixes_ = {"client."};
      info("{}: this is a kafka-rest.properties: its keys behind client. count", file_.file());
    }
    if (auto taken = take(); !taken) return taken;
    if (config_.bootstrap_servers.empty()) {
      const Property* servers = find("bootstrap.servers");
      if (!servers) servers = file_.find("bootstrap.servers");
      if (servers) config_.bootstrap_servers = plain_servers(servers->value);
    }
    for (const Property& property : keys_) {
      if (auto done = simple(property); !done) return done;
    }
    if (auto done = protocol(); !done) return done;
    if (auto done = trust_store(); !done) return done;
    if (auto done = key_store(); !done) return done;
    if (auto done = login(); !done) return done;
    if (!ignored_.empty()) info("{}: ignored, as without a meaning here: {}", file_.file(), fmt::join(ignored_, ", "));
    return {};
  }

 private:
  bool has_security(std::string_view prefix) const {
    return std::ranges::any_of(file_.all(), [&](const Property& property) {
      if (!property.key.starts_with(prefix)) return false;
      const std::string_view key = std::string_view(property.key).substr(prefix.size());
      return key.starts_with("security.") || key.starts_with("sasl.") || key.starts_with("ssl.");
    });
  }

  // The keys that count, without their prefix, the later prefix's over the earlier's; variables are filled in.
  Result<> take() {
    for (const Property& property : file_.all()) {
      const bool counts =
          std::ranges::any_of(prefixes_, [&](const std::string& prefix) { return property.key.starts_with(prefix); });
      if (!counts && property.key != "bootstrap.servers") ignored_.push_back(property.key);
    }
    for (const std::string& prefix : prefixes_) {
      for (const Property& property : file_.all()) {
        if (!property.key.starts_with(prefix)) continue;
        Property own{property.key.substr(prefix.size()), "", property.line};
        auto value = with_environment(property.value);
        if (!value) return pass(value.error(), "{}: {}", where(property), property.key);
        own.value = std::move(*value);
        std::erase_if(keys_, [&](const Property& earlier) { return earlier.key == own.key; });
        keys_.push_back(std::move(own));
      }
    }
    return {};
  }

  const Property* find(std::string_view key) const {
    const auto found = std::ranges::find(keys_, key, &Property::key);
    return found == keys_.end() ? nullptr : &*found;
  }
  std::string text(std::string_view key) const {
    const Property* property = find(key);
    return property ? trimmed(property->value) : "";
  }
  std::string where(const Property& property) const { return fmt::format("{}:{}", file_.file(), property.line); }
  void put(std::string_view key, std::string value) { config_.properties.emplace_back(key, std::move(value)); }

  // A path as it stands, as Java takes it; where it leads nowhere and is relative, beside this file.
  Result<std::string> existing(const std::string& path) const {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) return path;
    const auto beside = std::filesystem::path(file_.file()).parent_path() / path;
    if (std::filesystem::is_regular_file(beside, ignored)) return beside.string();
    return not_found("the file {} is not there; mend the path", path);
  }

  Result<> simple(const Property& property) {
    const auto renamed = std::ranges::find(kRenamed, property.key, &Renamed::java);
    if (renamed == kRenamed.end()) {
      if (std::ranges::find(kCombined, property.key) == kCombined.end()) ignored_.push_back(property.key);
      return {};
    }
    std::string value = renamed->kind == Kind::secret ? property.value : trimmed(property.value);
    if (renamed->kind == Kind::number &&
        (value.empty() || !std::ranges::all_of(value, [](unsigned char c) { return std::isdigit(c) != 0; }))) {
      return invalid("{}: {} is '{}'; it must be a whole number", where(property), property.key, value);
    }
    if (renamed->kind == Kind::boolean) {
      value = lower(value);
      if (value != "true" && value != "false")
        return invalid("{}: {} is '{}'; it must be true or false", where(property), property.key, value);
    }
    if (renamed->kind == Kind::file) {
      auto file = existing(value);
      if (!file) return pass(file.error(), "{}: {}", where(property), property.key);
      value = std::move(*file);
    }
    put(renamed->librdkafka, std::move(value));
    return {};
  }

  Result<> protocol() {
    if (const Property* given = find("security.protocol")) {
      const std::string value = lower(trimmed(given->value));
      if (value != "plaintext" && value != "ssl" && value != "sasl_plaintext" && value != "sasl_ssl") {
        return invalid("{}: security.protocol is '{}'; it must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
                       where(*given), given->value);
      }
      put("security.protocol", value);
    }
    if (const Property* given = find("ssl.endpoint.identification.algorithm")) {
      const std::string value = lower(trimmed(given->value));
      if (!value.empty() && value != "https" && value != "none") {
        return invalid("{}: {} is '{}'; it must be https, or empty where a broker's name shall not be checked",
                       where(*given), given->key, given->value);
      }
      put(given->key, value.empty() ? "none" : value);
    }
    return {};
  }

  Result<> login() {
    const Property* line = find("sasl.jaas.config");
    const Property* mechanism = find("sasl.mechanism") ? find("sasl.mechanism") : find("sasl.mechanisms");
    if (!config_.uses_sasl()) {
      if (line || mechanism) {
        warn("{}: it says how to log in, but security.protocol is {}, so nobody does; SASL_SSL is meant?",
             where(line ? *line : *mechanism), find("security.protocol") ? text("security.protocol") : "not set");
      }
      std::erase_if(config_.properties, [](const auto& one) { return one.first.starts_with("sasl."); });
      return {};
    }
    LoginKeys keys;
    if (mechanism) keys.mechanism = trimmed(mechanism->value);
    if (line) {
      auto jaas = parse_jaas(line->value);
      if (!jaas) return pass(jaas.error(), "{}: sasl.jaas.config", where(*line));
      keys.jaas = std::move(*jaas);
    }
    keys.get = [this](std::string_view key) -> std::optional<std::string> {
      const Property* found = find(key);
      if (!found) return std::nullopt;
      return trimmed(found->value);
    };
    keys.existing_file = [this](const std::string& path) { return existing(path); };
    const Property* at = line ? line : mechanism ? mechanism : find("security.protocol");
    if (auto added = add_login(keys, options_, config_, ignored_); !added) return pass(added.error(), "{}", where(*at));
    if (config_.get("sasl.mechanism") == "PLAIN" && !config_.uses_tls()) {
      warn("{}: SASL_PLAINTEXT sends the password as it is over the network", where(*at));
    }
    return {};
  }

  // The file that a store's key names, and what it is.
  struct Store {
    std::string path;
    std::string bytes;
    StoreKind kind;
  };
  Result<Store> store(const Property& location) const {
    auto path = existing(trimmed(location.value));
    if (!path) return pass(path.error(), "{}: {}", where(location), location.key);
    auto bytes = read_file(*path);
    if (!bytes) return pass(bytes.error(), "{}: {}", where(location), location.key);
    const StoreKind kind = store_kind(*bytes);
    if (kind == StoreKind::other) {
      return invalid("{}: {}: {} is no store of keys that is known (PEM, PKCS#12)", where(location), location.key,
                     *path);
    }
    return Store{std::move(*path), std::move(*bytes), kind};
  }

  Result<> trust_store() {
    const Property* location = find("ssl.truststore.location");
    if (!location) return {};
    auto found = store(*location);
    // The trust store that Java itself brings means: the certificates that the system trusts.
    const std::string value = trimmed(location->value);
    const bool is_javas = value.ends_with("cacerts") || value.ends_with("kafka.client.truststore.jks");
    if (is_javas && (!found || found->kind == StoreKind::jks || !find("ssl.truststore.password"))) {
      info("{}: {} is taken as the system's trusted certificates", where(*location), location->key);
      return {};
    }
    if (!found) return pass(found.error());
    if (found->kind == StoreKind::pem) {
      put("ssl.ca.location", found->path);
      return {};
    }
    if (found->kind == StoreKind::jks) {
      return unsupported(
          "{}: {} is a Java key store, which is not read here. Export its certificates (keytool -list -rfc -keystore "
          "{} > ca.pem) and set ssl.truststore.location=ca.pem and ssl.truststore.type=PEM",
          where(*location), location->key, value);
    }
    auto certificates = certificates_of_pkcs12(found->bytes, password("ssl.truststore.password"));
    if (!certificates)
      return pass(certificates.error(), "{}: {}: {} (ssl.truststore.password)", where(*location), location->key, value);
    put("ssl.ca.pem", std::move(*certificates));
    return {};
  }

  Result<> key_store() {
    const Property* location = find("ssl.keystore.location");
    if (!location) return {};
    auto found = store(*location);
    if (!found) return pass(found.error());
    if (found->kind == StoreKind::pem) {
      put("ssl.certificate.location", found->path);
      put("ssl.key.location", found->path);
    } else if (found->kind == StoreKind::pkcs12) {
      const std::string secret = password("ssl.keystore.password");
      if (auto opens = check_pkcs12_key(found->bytes, secret); !opens) {
        return pass(opens.error(), "{}: {}: {} (ssl.keystore.password)", where(*location), location->key, found->path);
      }
      put("ssl.keystore.location", found->path);
      put("ssl.keystore.password", secret);
    } else {
      return unsupported(
          "{}: {} is a Java key store, which is not read here. Convert it (keytool -importkeystore -srckeystore {} "
          "-destkeystore client.p12 -deststoretype PKCS12) and name client.p12 instead",
          where(*location), location->key, trimmed(location->value));
    }
    return {};
  }

  std::string password(std::string_view key) const {
    const Property* found = find(key);
    return found ? found->value : "";
  }

  const Properties& file_;
  const ConfigOptions& options_;
  std::vector<std::string> prefixes_;
  ClientConfig& config_;
  std::vector<Property> keys_;
  std::vector<std::string> ignored_;
};

}  // namespace

std::string ClientConfig::get(std::string_view key) const {
  std::string value;
  for (const auto& [name, text] : properties) {
    if (name == key) value = text;
  }
  return value;
}

std::string ClientConfig::security_protocol() const {
  const std::string protocol = get("security.protocol");
  return protocol.empty() ? "plaintext" : lower(protocol);
}

Result<ClientConfig> client_config(std::string bootstrap_servers, const Properties* file,
                                   const ConfigOptions& options) {
  ClientConfig config;
  config.bootstrap_servers = plain_servers(bootstrap_servers);
  if (file) {
    if (auto mapped = Mapper(*file, options, config).map(); !mapped) return pass(mapped.error());
  }
  if (config.bootstrap_servers.empty()) {
    return invalid("no Kafka cluster is named: give --bootstrap-server HOST:PORT{}",
                   file ? fmt::format(", or bootstrap.servers in {}", file->file()) : "");
  }
  return config;
}

}  // namespace pinflow::kafka
