// The lexical part of RFC 8259: where a string or a number ends. Pure; all calls take [at, end) and allocate nothing.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "gate/json_gate.h"

namespace pinflow::gate {

using Scanned = std::expected<const char*, Refusal>;  // just behind what was scanned

inline bool is_blank(char byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

// `at` is just behind the opening quote; the result is just behind the closing one. `escaped` becomes true where
// there was an escape.
Scanned scan_string(const char* at, const char* end, bool& escaped);

// A number, true, false or null that begins at `at`, up to a byte that may follow one.
Scanned scan_scalar(const char* at, const char* end);

// What the inside of a scanned string stands for, as UTF-8.
std::string unescape(std::string_view inside);

}  // namespace pinflow::gate
