#include "kinesis/service/answer.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace pinflow::kinesis {

AnswerWriter& AnswerWriter::plain(std::string_view value) {
  std::string quoted;
  quoted.reserve(value.size() + 2);
  quoted += '"';
  quoted += value;
  quoted += '"';
  json_.raw(quoted);
  return *this;
}

AnswerWriter& AnswerWriter::blob(std::string_view bytes) { return plain(base64_encode(bytes)); }

AnswerWriter& AnswerWriter::timestamp(int64_t ms) {
  json_.raw(fmt::format("{}.{:03}", ms / 1000, ms % 1000));
  return *this;
}

}  // namespace pinflow::kinesis
