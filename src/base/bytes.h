// Big-endian integers, checksums and text forms of plain bytes. Pure.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pinflow {

static_assert(std::endian::native == std::endian::little, "the byte order of this machine is not supported");

template <std::integral T>
T big_endian(T value) {
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  else if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  else if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  else return value;
}

// The caller has checked that sizeof(T) bytes are there.
template <std::integral T>
T load_big(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return big_endian(value);
}

template <std::integral T>
void store_big(char* to, T value) {
  value = big_endian(value);
  std::memcpy(to, &value, sizeof value);
}

template <std::integral T>
void append_big(std::string& to, T value) {
  value = big_endian(value);
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// CRC-32C (Castagnoli, RFC 3720 B.4), by the processor's instruction where there is one.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

// Base64 (RFC 4648, padded).
void append_base64(std::string& to, std::string_view bytes);
std::string base64_encode(std::string_view bytes);
// How many bytes the text stands for, were it base64.
size_t base64_decoded_size(std::string_view text);
// Writes base64_decoded_size(text) bytes; false when the text is not base64: what was written is then unspecified.
bool base64_decode(std::string_view text, char* to);
bool base64_decode(std::string_view text, std::string& bytes);

std::string to_hex(std::string_view bytes);

}  // namespace pinflow
