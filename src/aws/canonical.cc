#include "aws/canonical.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pinflow::aws {
namespace {

constexpr bool is_unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986, 5.2.4: without "." and "..", and without empty parts.
std::string normalised(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool ends_in_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string result;
  for (const std::string_view part : parts) {
    result += '/';
    result += part;
  }
  if (ends_in_slash || result.empty()) result += '/';
  return result;
}

std::string canonical_path(std::string_view path, PathRule rule) {
  if (path.empty()) return "/";
  switch (rule) {
    case PathRule::once: return percent_encode(percent_decode(path), true);
    case PathRule::twice: return percent_encode(normalised(path), true);
  }
  return {};
}

void append_query(std::string& to, std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const size_t equals = std::min(parameter.find('='), parameter.size());
    std::string name = percent_encode(percent_decode(parameter.substr(0, equals)), false);
    if (name == "X-Amz-Signature") continue;
    parameters.emplace_back(
        std::move(name),
        percent_encode(percent_decode(parameter.substr(std::min(equals + 1, parameter.size()))), false));
  }
  std::ranges::sort(parameters);
  for (const char* separator = ""; const auto& [name, value] : parameters) {
    to += std::exchange(separator, "&");
    to += name;
    to += '=';
    to += value;
  }
}

bool equals_lower(std::string_view name, std::string_view lower) {
  return std::ranges::equal(name, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

void append_value(std::string& to, std::string_view value) {
  const size_t start = to.size();
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      blank = true;
      continue;
    }
    if (blank && to.size() > start) to += ' ';
    blank = false;
    to += c;
  }
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return result;
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size() + 8);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte) || (keep_slash && c == '/')) {
      result += c;
    } else {
      result += '%';
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    }
  }
  return result;
}

std::string percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string canonical_request(const WireRequest& request, PathRule rule, std::string_view signed_headers,
                              std::string_view payload_sha256) {
  std::string result;
  result.reserve(512);
  result += request.method;
  result += '\n';
  result += canonical_path(request.path, rule);
  result += '\n';
  append_query(result, request.query);
  result += '\n';
  for (std::string_view rest = signed_headers; !rest.empty();) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    result += name;
    result += ':';
    const char* separator = "";
    for (const http::HeaderField& field : *request.headers) {
      if (!equals_lower(field.name, name)) continue;
      result += std::exchange(separator, ",");
      append_value(result, field.value);
    }
    result += '\n';
  }
  result += '\n';
  result += signed_headers;
  result += '\n';
  result += payload_sha256;
  return result;
}

}  // namespace pinflow::aws
