#include "stream/decode.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/utf8.h"
#include "gate/json_scan.h"

namespace pinflow::stream {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && gate::is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && gate::is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool opens_value(std::string_view text) { return !text.empty() && (text.front() == '{' || text.front() == '['); }

// The inside of a JSON string that is all of `text`; else `text`.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return std::string(text);
  bool escaped = false;
  const auto behind = gate::scan_string(text.data() + 1, text.data() + text.size(), escaped);
  if (!behind || *behind != text.data() + text.size()) return std::string(text);
  const std::string_view inside = text.substr(1, text.size() - 2);
  return escaped ? gate::unescape(inside) : std::string(inside);
}

}  // namespace

std::string_view record_of(std::string_view data, std::string& decoded) {
  const std::string_view text = trimmed(data);
  if (text.empty() || opens_value(text)) return data;
  std::string base64 = unquoted(text);
  std::erase_if(base64, [](char byte) { return byte == '\r' || byte == '\n'; });  // lines, as MIME has them
  if (base64.empty() || !base64_decode(base64, decoded) || !opens_value(trimmed(decoded))) return data;
  return decoded;
}

}  // namespace pinflow::stream
