#include "source/credentials.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <map>

#include "pipeline/problems.h"
#include "pipeline/yaml.h"

namespace pinflow::source {
namespace {

const std::vector<std::string> keys{"HOST", "USER", "PASSWORD", "DATABASE", "PORT"};

struct Given {
  std::string text;
  std::string origin;  // "FILE:LINE" or "the environment's PINFLOW_DB_HOST"
};
using Credentials = std::map<std::string, Given>;

// "HOST" from "RDS_HOST", "awsdb_host", "Host", …; "" where it is none of the keys.
std::string plain_key(std::string_view name) {
  std::string key(name);
  for (char& c : key) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string_view prefix : {"RDS_", "AWSDB_"}) {
    if (key.starts_with(prefix)) key.erase(0, prefix.size());
  }
  return std::find(keys.begin(), keys.end(), key) == keys.end() ? "" : key;
}

bool is_placeholder(std::string_view text) { return text.size() > 2 && text.front() == '<' && text.back() == '>'; }

Credentials from_environment() {
  Credentials found;
  for (const std::string& key : keys) {
    const std::string variable = "PINFLOW_DB_" + key;
    if (const char* value = std::getenv(variable.c_str())) found[key] = {value, "the environment's " + variable};
  }
  return found;
}

Result<Credentials> from_file(const std::filesystem::path& file) {
  const auto root = pipeline::read_yaml(file);
  if (!root) return pass(root.error());
  pipeline::Problems problems(file.string());
  if (!root->is_map()) {
    problems.add(1, "must be a map (key: value) with {}", pipeline::join(keys));
    return std::unexpected(problems.error());
  }
  Credentials found;
  for (size_t i = 0; i < root->entries.size(); ++i) {
    const auto& [name, value] = root->entries[i];
    const std::string key = plain_key(name);
    if (key.empty()) continue;
    const int line = root->key_lines[i];
    if (found.contains(key)) problems.add(line, "{} is given twice, in two styles; take one out", key);
    if (!value.is_scalar()) {
      problems.add(line, "{} must be a text, not {}; put it in quotes", name, describe(value.kind));
    } else if (is_placeholder(value.text)) {
      problems.add(line, "{} is still a <PLACEHOLDER>; put in the value", name);
    } else {
      found[key] = {value.text, fmt::format("{}:{}", file.string(), line)};
    }
  }
  if (!problems.empty()) return std::unexpected(problems.error());
  return found;
}

Result<int> read_port(const Given& given) {
  int port = 0;
  const char* end = given.text.data() + given.text.size();
  const auto [at, error] = std::from_chars(given.text.data(), end, port);
  if (error != std::errc{} || at != end || port < 1 || port > 65535) {
    return invalid("{}: PORT is no number from 1 to 65535; mend it", given.origin);
  }
  return port;
}

}  // namespace

Result<std::optional<std::filesystem::path>> find_credentials(const CredentialOptions& options) {
  std::error_code ignored;
  if (!options.file.empty()) {
    if (std::filesystem::exists(options.file, ignored)) return options.file;
    return not_found("{}: there is no such file; --db-creds names a YAML file with {}", options.file.string(),
                     pipeline::join(keys));
  }
  for (const auto& folder : {std::filesystem::path(), options.pipeline_folder}) {
    const auto file = folder / "db_creds.yaml";
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return std::nullopt;
}

Result<SourceUrl> complete(SourceUrl url, const CredentialOptions& options) {
  if (url.kind == SourceUrl::Kind::sqlite) return url;
  const auto file = find_credentials(options);
  if (!file) return pass(file.error());
  Credentials found = from_environment();
  const bool all_given = !url.host.empty() && !url.user.empty() && url.has_password && !url.database.empty();
  if (*file && !(all_given && options.file.empty())) {
    auto read = from_file(**file);
    if (!read) return pass(read.error());
    found.merge(*read);  // keeps what the environment gave
  }
  const auto fill = [&found](std::string& to, const char* key) {
    if (const auto given = found.find(key); to.empty() && given != found.end()) to = given->second.text;
  };
  fill(url.host, "HOST");
  fill(url.user, "USER");
  fill(url.database, "DATABASE");
  if (!url.has_password && found.contains("PASSWORD")) {
    url.password = found["PASSWORD"].text;
    url.has_password = true;
  }
  if (url.port == 0 && found.contains("PORT")) {
    const auto port = read_port(found["PORT"]);
    if (!port) return pass(port.error());
    url.port = *port;
  }
  if (url.port == 0) url.port = default_mysql_port;
  std::vector<std::string> missing;
  if (url.host.empty()) missing.push_back("HOST");
  if (url.user.empty()) missing.push_back("USER");
  if (!url.has_password) missing.push_back("PASSWORD");
  if (url.database.empty()) missing.push_back("DATABASE");
  if (missing.empty()) return url;
  return invalid("{}: {} missing for the MySQL source; add {} to the file, or set PINFLOW_DB_{}",
                 *file ? (**file).string() : "db_creds.yaml (there is none)",
                 pipeline::join(missing) + (missing.size() == 1 ? " is" : " are"), missing.size() == 1 ? "it" : "them",
                 missing[0]);
}

Result<SourceUrl> choose_source(const std::string& url, const CredentialOptions& options,
                                const std::filesystem::path& otherwise) {
  if (!url.empty()) {
    auto parsed = parse_url(url);
    if (!parsed) return pass(parsed.error());
    return complete(std::move(*parsed), options);
  }
  const auto file = find_credentials(options);
  if (!file) return pass(file.error());
  if (!*file && std::getenv("PINFLOW_DB_HOST") == nullptr) return sqlite_url(otherwise);
  return complete({.kind = SourceUrl::Kind::mysql}, options);
}

}  // namespace pinflow::source
