// Writing JSON text. (Reading is simdjson's; validating and compacting foreign records is the gate's.) Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pinflow {

// "text" with quotes, escaped as RFC 8259 asks. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& to, std::string_view text);
std::string json_string(std::string_view text);

// Builds one JSON value piece by piece; commas and colons are put where they belong.
//   JsonWriter json; json.begin_object(); json.key("count").number(3); json.end_object(); json.text()
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(int64_t value);
  JsonWriter& number(double value);  // shortest form that reads back the same; NaN and infinities are null
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // a finished JSON value

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string text_;
  bool comma_ = false;
};

}  // namespace pinflow
