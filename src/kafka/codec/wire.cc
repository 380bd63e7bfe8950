#include "kafka/codec/wire.h"

#include "base/utf8.h"

namespace pinflow::kafka {

uint32_t Reader::varint() {
  uint32_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const auto byte = static_cast<uint8_t>(integer<int8_t>());
    if (fault_) return 0;
    if (shift == 28 && byte > 0x0f) break;
    value |= static_cast<uint32_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail("a varint is longer than 32 bits");
  return 0;
}

std::string_view Reader::take(size_t bytes) {
  if (bytes > rest_.size()) return fail("a length goes past the end of the message"), std::string_view{};
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

std::optional<std::string_view> Reader::string(bool compact) {
  const int64_t length = compact ? static_cast<int64_t>(varint()) - 1 : integer<int16_t>();
  if (fault_ || length == -1) return std::nullopt;
  if (length < 0 || length > static_cast<int64_t>(kMaxStringBytes)) {
    return fail("a string's length is not between 0 and 32767"), std::nullopt;
  }
  return take(static_cast<size_t>(length));
}

std::optional<std::string_view> Reader::bytes(bool compact) {
  const int64_t length = compact ? static_cast<int64_t>(varint()) - 1 : integer<int32_t>();
  if (fault_ || length == -1) return std::nullopt;
  if (length < 0) return fail("a byte array's length is negative"), std::nullopt;
  return take(static_cast<size_t>(length));
}

int32_t Reader::array(bool compact) {
  const int64_t count = compact ? static_cast<int64_t>(varint()) - 1 : integer<int32_t>();
  if (fault_ || count == -1) return -1;
  if (count < 0) return fail("an array's count is negative"), -1;
  if (count > static_cast<int64_t>(rest_.size())) {
    return fail("an array has more elements than the message has bytes"), -1;
  }
  elements_ += count;
  if (elements_ > kMaxArrayElements) return fail("the message has more than 1048576 array elements"), -1;
  return static_cast<int32_t>(count);
}

void Writer::varint(uint32_t value) {
  while (value >= 0x80) {
    to_->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to_->push_back(static_cast<char>(value));
}

void Writer::string(std::optional<std::string_view> text, bool compact) {
  if (text && text->size() > kMaxStringBytes) text = utf8_prefix(*text, kMaxStringBytes);
  if (compact) {
    varint(text ? static_cast<uint32_t>(text->size()) + 1 : 0);
  } else {
    integer<int16_t>(text ? static_cast<int16_t>(text->size()) : -1);
  }
  if (text) raw(*text);
}

void Writer::bytes(std::optional<std::string_view> bytes, bool compact) {
  if (compact) {
    varint(bytes ? static_cast<uint32_t>(bytes->size()) + 1 : 0);
  } else {
    integer<int32_t>(bytes ? static_cast<int32_t>(bytes->size()) : -1);
  }
  if (bytes) raw(*bytes);
}

void Writer::array(int32_t count, bool compact) {
  if (compact) {
    varint(static_cast<uint32_t>(count + 1));
  } else {
    integer(count);
  }
}

}  // namespace pinflow::kafka
