#include "base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "base/utf8.h"

namespace pinflow {

void append_json_string(std::string& to, std::string_view text) {
  to.push_back('"');
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte >= 0x80) {
      const size_t length = utf8_length(text);
      if (length == 0) to.append("\xEF\xBF\xBD");
      else to.append(text.substr(0, length));
      text.remove_prefix(length == 0 ? 1 : length);
      continue;
    }
    switch (byte) {
      case '"': to.append("\\\""); break;
      case '\\': to.append("\\\\"); break;
      case '\n': to.append("\\n"); break;
      case '\r': to.append("\\r"); break;
      case '\t': to.append("\\t"); break;
      default:
        if (byte < 0x20) fmt::format_to(std::back_inserter(to), "\\u{:04x}", byte);
        else to.push_back(static_cast<char>(byte));
    }
    text.remove_prefix(1);
  }
  to.push_back('"');
}

std::string json_string(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

void JsonWriter::separate() {
  if (comma_) text_.push_back(',');
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  text_.push_back(bracket);
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  text_.push_back(bracket);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(text_, name);
  text_.push_back(':');
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(text_, value);
  return *this;
}

JsonWriter& JsonWriter::number(int64_t value) { return raw(fmt::to_string(value)); }

JsonWriter& JsonWriter::number(double value) { return std::isfinite(value) ? raw(fmt::to_string(value)) : null(); }

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_.append(json);
  return *this;
}

}  // namespace pinflow
