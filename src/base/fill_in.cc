#include "base/fill_in.h"

#include <algorithm>
#include <cstdlib>

namespace pinflow {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_variable_name(std::string_view name) {
  return !name.empty() && is_capital(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_capital(c) || is_digit(c) || c == '_'; });
}

}  // namespace

std::string_view placeholder(std::string_view text) {
  for (size_t open = text.find('<'); open != std::string_view::npos; open = text.find('<', open + 1)) {
    size_t i = open + 1;
    if (i >= text.size() || !is_capital(text[i])) continue;
    while (i < text.size() &&
           (is_capital(text[i]) || is_digit(text[i]) || text[i] == '_' || text[i] == ' ' || text[i] == '-')) {
      ++i;
    }
    if (i < text.size() && text[i] == '>') return text.substr(open, i - open + 1);
  }
  return {};
}

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Result<std::string> with_environment(std::string_view text, const Lookup& lookup) {
  constexpr std::string_view kOpen = "${", kEnv = "env:";
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find(kOpen, at);
    const size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) {
      out += text.substr(at);
      break;
    }
    std::string_view name = text.substr(open + kOpen.size(), close - open - kOpen.size());
    if (name.starts_with(kEnv)) name.remove_prefix(kEnv.size());
    if (!is_variable_name(name)) {
      out += text.substr(at, open + kOpen.size() - at);
      at = open + kOpen.size();
      continue;
    }
    out += text.substr(at, open - at);
    const auto value = lookup(std::string(name));
    if (!value) return not_found("the environment variable {} is not set; set it, or write the value itself", name);
    out += *value;
    at = close + 1;
  }
  return out;
}

}  // namespace pinflow
