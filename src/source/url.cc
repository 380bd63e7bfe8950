#include "source/url.h"

#include <charconv>

namespace pinflow::source {
namespace {

constexpr std::string_view forms =
    "give sqlite:///FILE (three slashes: FILE is relative to the working folder), sqlite:////FILE (four: absolute) or "
    "mysql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE";

bool decode_percent(std::string_view text, std::string& decoded) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    unsigned code = 0;
    if (i + 2 >= text.size()) return false;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16);
    if (error != std::errc{} || end != text.data() + i + 3) return false;
    decoded.push_back(static_cast<char>(code));
    i += 2;
  }
  return true;
}

Result<SourceUrl> parse_mysql(std::string_view rest) {
  SourceUrl url{.kind = SourceUrl::Kind::mysql};
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    const size_t colon = login.find(':');
    url.has_password = colon != std::string_view::npos;
    if (!decode_percent(login.substr(0, colon), url.user) ||
        (url.has_password && !decode_percent(login.substr(colon + 1), url.password))) {
      return invalid("the source's URL: a '%' in USER or PASSWORD is not followed by two hex digits; write % as %25");
    }
  }
  const size_t slash = rest.find('/');
  std::string_view host = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.database = rest.substr(slash + 1);
  if (url.database.find_first_of("/?#") != std::string::npos) {
    return invalid("the source's URL: DATABASE holds one of / ? #, which has no meaning here; {}", forms);
  }
  const size_t bracket = host.find(']');  // [::1]:3306
  if (const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
      colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc{} || end != port.data() + port.size() || url.port < 1 || url.port > 65535) {
      return invalid("the source's URL: PORT is no number from 1 to 65535; {}", forms);
    }
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  url.host = host;
  return url;
}

}  // namespace

std::string SourceUrl::redacted() const {
  if (kind == Kind::sqlite) return fmt::format("sqlite:///{}", file.string());
  std::string text = "mysql://";
  if (!user.empty() || has_password) text += fmt::format("{}{}@", user, has_password ? ":***" : "");
  text += host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  if (port != 0) text += fmt::format(":{}", port);
  return fmt::format("{}/{}", text, database);
}

SourceUrl sqlite_url(std::filesystem::path file) { return {.kind = SourceUrl::Kind::sqlite, .file = std::move(file)}; }

Result<SourceUrl> parse_url(std::string_view text) {
  constexpr std::string_view sqlite = "sqlite:///", mysql = "mysql://", pymysql = "mysql+pymysql://";
  if (text.starts_with(sqlite)) {
    const std::string_view file = text.substr(sqlite.size());
    if (file.empty()) return invalid("the source's URL names no file; {}", forms);
    return sqlite_url(std::filesystem::path(file));
  }
  if (text.starts_with(mysql)) return parse_mysql(text.substr(mysql.size()));
  if (text.starts_with(pymysql)) return parse_mysql(text.substr(pymysql.size()));
  if (text.starts_with("sqlite:")) return invalid("the source's URL has too few slashes; {}", forms);
  return invalid("the source's URL is none that is known; {}", forms);
}

}  // namespace pinflow::source
