#include "gateway/json_scanner.h"

#include <cstdint>
#include <cstring>

namespace pinflow::gateway {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// -1 where the four are not hexadecimal digits.
int code_unit(const char* four) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(four[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

constexpr uint64_t repeated(uint8_t byte) { return 0x0101010101010101u * byte; }

// The high bit of each byte that is '"', '\\' or below 0x20 (and perhaps of bytes above such a one).
uint64_t special_bytes(uint64_t eight) {
  const uint64_t quote = eight ^ repeated('"'), backslash = eight ^ repeated('\\');
  return (((quote - repeated(1)) & ~quote) | ((backslash - repeated(1)) & ~backslash) |
          ((eight - repeated(0x20)) & ~eight)) &
         repeated(0x80);
}

void append_utf8(std::string& to, uint32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xC0 | (c >> 6));
    to += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    to += static_cast<char>(0xE0 | (c >> 12));
    to += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    to += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | (c >> 18));
    to += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    to += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    to += static_cast<char>(0x80 | (c & 0x3F));
  }
}

}  // namespace

void JsonScanner::skip_blanks() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

char JsonScanner::peek() {
  skip_blanks();
  return at_ == end_ ? '\0' : *at_;
}

bool JsonScanner::take(char c) {
  if (peek() != c || at_ == end_) return false;
  ++at_;
  return true;
}

// At the opening quote.
bool JsonScanner::skip_string() {
  ++at_;
  for (;;) {
    while (end_ - at_ >= 8) {
      uint64_t eight;
      std::memcpy(&eight, at_, sizeof eight);
      if (const uint64_t found = special_bytes(eight); found != 0) {
        at_ += __builtin_ctzll(found) / 8;  // the lowest one is always exact
        break;
      }
      at_ += 8;
    }
    if (at_ == end_) return false;
    const auto c = static_cast<unsigned char>(*at_);
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c < 0x20) return false;
    ++at_;
    if (c != '\\') continue;
    if (at_ == end_) return false;
    if (*at_ == 'u') {
      if (end_ - at_ < 5 || code_unit(at_ + 1) < 0) return false;
      at_ += 5;
    } else {
      if (std::memchr("\"\\/bfnrt", *at_, 8) == nullptr) return false;
      ++at_;
    }
  }
}

bool JsonScanner::skip_number() {
  const auto digits = [this] {
    const char* first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != first;
  };
  if (at_ != end_ && *at_ == '-') ++at_;
  if (at_ != end_ && *at_ == '0') ++at_;
  else if (!digits()) return false;
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return false;
  }
  return true;
}

bool JsonScanner::skip_word(std::string_view word) {
  if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

bool JsonScanner::skip_scalar() {
  switch (peek()) {
    case '"': return skip_string();
    case 't': return skip_word("true");
    case 'f': return skip_word("false");
    case 'n': return skip_word("null");
    default: return skip_number();
  }
}

bool JsonScanner::skip_name() { return peek() == '"' && skip_string() && take(':'); }

std::optional<std::string_view> JsonScanner::value() {
  skip_blanks();
  const char* first = at_;
  open_.clear();
  for (;;) {
    // At the start of a value.
    const char c = peek();
    if (c == '{' || c == '[') {
      ++at_;
      const char close = c == '{' ? '}' : ']';
      if (!take(close)) {
        open_ += close;
        if (c == '{' && !skip_name()) return std::nullopt;
        continue;
      }
    } else if (!skip_scalar()) {
      return std::nullopt;
    }
    // After a value.
    for (;;) {
      if (open_.empty()) return std::string_view(first, static_cast<size_t>(at_ - first));
      if (take(',')) {
        if (open_.back() == '}' && !skip_name()) return std::nullopt;
        break;
      }
      if (!take(open_.back())) return std::nullopt;
      open_.pop_back();
    }
  }
}

std::optional<std::string_view> JsonScanner::string() {
  if (peek() != '"') return std::nullopt;
  const char* first = at_;
  if (!skip_string()) return std::nullopt;
  return std::string_view(first, static_cast<size_t>(at_ - first));
}

std::optional<std::string> unescaped(std::string_view json_string) {
  const std::string_view text = json_string.substr(1, json_string.size() - 2);
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'b': plain += '\b'; break;
      case 'f': plain += '\f'; break;
      case 'n': plain += '\n'; break;
      case 'r': plain += '\r'; break;
      case 't': plain += '\t'; break;
      case 'u': {
        auto c = static_cast<uint32_t>(code_unit(text.data() + i + 1));
        i += 4;
        if (c >= 0xD800 && c < 0xE000) {
          if (c >= 0xDC00 || text.size() - i < 7 || text[i + 1] != '\\' || text[i + 2] != 'u') return std::nullopt;
          const auto low = static_cast<uint32_t>(code_unit(text.data() + i + 3));
          if (low < 0xDC00 || low >= 0xE000) return std::nullopt;
          c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
          i += 6;
        }
        append_utf8(plain, c);
        break;
      }
      default: plain += text[i];
    }
  }
  return plain;
}

}  // namespace pinflow::gateway
