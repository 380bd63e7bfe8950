#include "pipeline/names.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"

namespace pinflow::pipeline {
namespace {

bool is_letter_or_digit(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 && (c & 0x80) == 0; }

std::optional<std::string> fault(std::string_view name, std::string_view marks, size_t longest) {
  if (name.empty()) return "is empty; give it a name";
  if (name.size() > longest) return fmt::format("is longer than {} characters; shorten it", longest);
  for (const char c : name) {
    if (is_letter_or_digit(c) || marks.find(c) != std::string_view::npos) continue;
    const bool printable = c > 0x20 && c < 0x7f;
    const std::string shown = printable
                                  ? fmt::format("'{}'", c)
                                  : fmt::format("with the code {}", static_cast<unsigned>(static_cast<uint8_t>(c)));
    return fmt::format("has the character {}; use letters, digits and {}", shown, marks);
  }
  return {};
}

}  // namespace

Result<std::string> fill_pattern(std::string_view pattern, const NameValues& values) {
  std::string filled;
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '}') return invalid("a '}}' without its '{{' in the pattern '{}'", pattern);
    if (c != '{') {
      filled.push_back(c);
      ++at;
      continue;
    }
    const size_t end = pattern.find('}', at);
    if (end == std::string_view::npos) return invalid("a '{{' without its '}}' in the pattern '{}'", pattern);
    const std::string_view name = pattern.substr(at + 1, end - at - 1);
    if (name == "id") filled += values.id;
    else if (name == "record") filled += values.record;
    else
      return invalid("unknown placeholder '{{{}}}' in the pattern '{}'; known are {{id}} and {{record}}", name,
                     pattern);
    at = end + 1;
  }
  return filled;
}

std::optional<std::string> topic_name_fault(std::string_view name) {
  if (name == "." || name == "..") return "is not allowed; choose another name";
  return fault(name, "._-", 249);
}

std::optional<std::string> stream_name_fault(std::string_view name) { return fault(name, "_.-", 128); }

std::optional<std::string> table_name_fault(std::string_view name) {
  if (name == "dead" || name == "dead_stream") return "is kept for the dead letters; choose another name";
  return fault(name, "_-", 128);
}

std::optional<std::string> word_fault(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
      std::all_of(name.begin(), name.end(), fits)) {
    return {};
  }
  return "is no plain word; use small letters, digits and _, a letter first, at most 64";
}

std::optional<std::string> user_id_fault(std::string_view name) { return fault(name, "_-", 64); }

std::optional<std::string> column_name_fault(std::string_view name) {
  if (name.empty()) return "is empty; give it a name";
  if (name.size() > 64) return "is longer than 64 bytes; shorten it";
  if (!is_utf8(name) ||
      std::any_of(name.begin(), name.end(), [](char c) { return c >= 0 && (c < 0x20 || c == 0x7f); })) {
    return "has a character that cannot be printed; take it out";
  }
  return {};
}

}  // namespace pinflow::pipeline
