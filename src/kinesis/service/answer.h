// Answers as they are written on the wire: JSON 1.1 today. Operations write through this alone, so another wire form
// (CBOR holds the same kinds: bytes for a blob, a tagged number for a time) needs no change of theirs. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace pinflow::kinesis {

class AnswerWriter {
 public:
  AnswerWriter& begin_object() { return json_.begin_object(), *this; }
  AnswerWriter& end_object() { return json_.end_object(), *this; }
  AnswerWriter& begin_array() { return json_.begin_array(), *this; }
  AnswerWriter& end_array() { return json_.end_array(), *this; }
  AnswerWriter& key(std::string_view name) { return json_.key(name), *this; }
  AnswerWriter& string(std::string_view value) { return json_.string(value), *this; }
  AnswerWriter& plain(std::string_view value);  // a text of digits, letters and dashes alone
  AnswerWriter& number(int64_t value) { return json_.number(value), *this; }
  AnswerWriter& boolean(bool value) { return json_.boolean(value), *this; }
  AnswerWriter& null() { return json_.null(), *this; }
  AnswerWriter& blob(std::string_view bytes);
  AnswerWriter& timestamp(int64_t ms);  // seconds since 1970, with three decimals

  size_t bytes() const { return json_.text().size(); }
  std::string take() { return json_.take(); }

 private:
  JsonWriter json_;
};

}  // namespace pinflow::kinesis
