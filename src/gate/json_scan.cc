#include "gate/json_scan.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pinflow::gate {
namespace {

constexpr std::unexpected<Refusal> not_json() { return std::unexpected(Refusal::not_json); }

constexpr uint64_t kOnes = 0x0101010101010101u;
constexpr uint64_t kHighs = 0x8080808080808080u;

// The high bit of each byte that is a quote, a backslash or a control character; bytes behind the first such one
// may be marked wrongly (the subtraction borrows), the first is right.
uint64_t special_bytes(uint64_t eight) {
  const uint64_t quote = eight ^ (kOnes * '"');
  const uint64_t backslash = eight ^ (kOnes * '\\');
  const uint64_t found =
      ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | ((eight - kOnes * 0x20) & ~eight);
  return found & kHighs;
}

bool is_special(char byte) { return byte == '"' || byte == '\\' || static_cast<uint8_t>(byte) < 0x20; }

const char* find_special(const char* at, const char* end) {
  while (end - at >= 8) {
    uint64_t eight;
    std::memcpy(&eight, at, sizeof eight);
    if (const uint64_t found = special_bytes(eight); found != 0) return at + std::countr_zero(found) / 8;
    at += 8;
  }
  while (at != end && !is_special(*at)) ++at;
  return at;
}

int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

// The four digits of a \u escape; -1 where they are not four hexadecimal digits.
int code_unit(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// `at` is just behind the backslash.
Scanned scan_escape(const char* at, const char* end) {
  if (at == end) return not_json();
  switch (*at++) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return at;
    case 'u': break;
    default: return not_json();
  }
  const int unit = code_unit(at, end);
  if (unit < 0) return not_json();
  at += 4;
  if (is_low_surrogate(unit)) return std::unexpected(Refusal::lone_surrogate);
  if (!is_high_surrogate(unit)) return at;
  if (end - at < 2 || at[0] != '\\' || at[1] != 'u') return std::unexpected(Refusal::lone_surrogate);
  const int second = code_unit(at + 2, end);
  if (second < 0) return not_json();
  if (!is_low_surrogate(second)) return std::unexpected(Refusal::lone_surrogate);
  return at + 6;
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

// number = [ minus ] int [ frac ] [ exp ]
Scanned scan_number(const char* at, const char* end) {
  if (*at == '-') ++at;
  if (at == end || !is_digit(*at)) return not_json();
  at = *at == '0' ? at + 1 : skip_digits(at, end);
  if (at != end && *at == '.') {
    const char* digits = at + 1;
    at = skip_digits(digits, end);
    if (at == digits) return not_json();
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    const char* digits = at;
    at = skip_digits(digits, end);
    if (at == digits) return not_json();
  }
  return at;
}

Scanned scan_word(const char* at, const char* end, std::string_view word) {
  if (static_cast<size_t>(end - at) < word.size() || std::memcmp(at, word.data(), word.size()) != 0) return not_json();
  return at + word.size();
}

void append_utf8(std::string& to, uint32_t point) {
  if (point < 0x80) {
    to.push_back(static_cast<char>(point));
    return;
  }
  if (point < 0x800) {
    to.push_back(static_cast<char>(0xC0 | point >> 6));
  } else {
    if (point < 0x10000) {
      to.push_back(static_cast<char>(0xE0 | point >> 12));
    } else {
      to.push_back(static_cast<char>(0xF0 | point >> 18));
      to.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3F)));
    }
    to.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
  }
  to.push_back(static_cast<char>(0x80 | (point & 0x3F)));
}

}  // namespace

Scanned scan_string(const char* at, const char* end, bool& escaped) {
  for (;;) {
    at = find_special(at, end);
    if (at == end) return not_json();
    if (*at == '"') return at + 1;
    if (*at != '\\') return not_json();
    escaped = true;
    auto behind = scan_escape(at + 1, end);
    if (!behind) return behind;
    at = *behind;
  }
}

Scanned scan_scalar(const char* at, const char* end) {
  Scanned behind = not_json();
  switch (*at) {
    case 't': behind = scan_word(at, end, "true"); break;
    case 'f': behind = scan_word(at, end, "false"); break;
    case 'n': behind = scan_word(at, end, "null"); break;
    default:
      if (*at == '-' || is_digit(*at)) behind = scan_number(at, end);
  }
  if (!behind || *behind == end) return behind;
  const char next = **behind;
  if (is_blank(next) || next == ',' || next == ']' || next == '}') return behind;
  return not_json();
}

std::string unescape(std::string_view inside) {
  std::string text;
  const char* at = inside.data();
  const char* end = at + inside.size();
  while (at != end) {
    if (*at != '\\') {
      text.push_back(*at++);
      continue;
    }
    const char kind = at[1];
    at += 2;
    switch (kind) {
      case 'b': text.push_back('\b'); break;
      case 'f': text.push_back('\f'); break;
      case 'n': text.push_back('\n'); break;
      case 'r': text.push_back('\r'); break;
      case 't': text.push_back('\t'); break;
      case 'u': {
        auto point = static_cast<uint32_t>(code_unit(at, end));
        at += 4;
        if (is_high_surrogate(static_cast<int>(point))) {
          const auto low = static_cast<uint32_t>(code_unit(at + 2, end));
          point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
          at += 6;
        }
        append_utf8(text, point);
        break;
      }
      default: text.push_back(kind);
    }
  }
  return text;
}

}  // namespace pinflow::gate
