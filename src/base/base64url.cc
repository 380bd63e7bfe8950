#include "base/base64url.h"

#include <algorithm>

#include "base/bytes.h"

namespace pinflow {

std::string base64url_encode(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

bool base64url_decode(std::string_view text, std::string& bytes) {
  std::string plain(text);
  if (plain.find_first_of("+/") != std::string::npos) return false;
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  while (plain.ends_with('=')) plain.pop_back();
  plain.append((4 - plain.size() % 4) % 4, '=');
  return base64_decode(plain, bytes);
}

}  // namespace pinflow
