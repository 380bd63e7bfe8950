// UTF-8 (RFC 3629). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pinflow {

// Length in bytes (1 to 4) of the character at the start of `text`; 0 where it is none: truncated, overlong,
// a surrogate, or above U+10FFFF. `text` is not empty.
size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

// `text` with U+FFFD for each byte that is no part of a character.
std::string repaired_utf8(std::string_view text);

// The longest prefix of at most `bytes` bytes that does not cut a character.
std::string_view utf8_prefix(std::string_view text, size_t bytes);

}  // namespace pinflow
