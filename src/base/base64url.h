// RFC 4648's base64 with the alphabet for URLs and file names, without padding. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pinflow {

std::string base64url_encode(std::string_view bytes);
// False when the text is none: `bytes` is unspecified then. Padding is taken too.
bool base64url_decode(std::string_view text, std::string& bytes);

}  // namespace pinflow
