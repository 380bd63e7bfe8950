#include "http/message.h"

#include <algorithm>

namespace pinflow::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view find_header(const std::vector<HeaderField>& headers, std::string_view name) {
  for (const HeaderField& field : headers) {
    if (same_name(field.name, name)) return field.value;
  }
  return {};
}

std::string_view Request::header(std::string_view name) const { return find_header(headers, name); }

}  // namespace pinflow::http
