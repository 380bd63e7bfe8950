// SHA-256 and HMAC-SHA-256, by OpenSSL. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pinflow::aws {

std::string sha256(std::string_view bytes);  // 32 bytes
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 bytes
std::string md5(std::string_view bytes);                                // 16 bytes; no security rests on it

// Whether both are equal, in a time that does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace pinflow::aws
