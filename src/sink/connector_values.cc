#include "sink/connector_values.h"

#include <algorithm>
#include <charconv>

#include "sink/connector_keys.h"

namespace pinflow::sink {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = trimmed(text.substr(0, comma));
    if (!one.empty() && std::ranges::find(list, one) == list.end()) list.emplace_back(one);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return list;
}

std::unexpected<Error> ConnectorValues::refuse(const Property& property, std::string_view why) const {
  return unsupported("{}:{}: {}={}: {}", properties_.file(), property.line, property.key, property.value, why);
}

std::unexpected<Error> ConnectorValues::wrong(const Property& property, std::string_view must_be) const {
  return invalid("{}:{}: {}={}: must be {}", properties_.file(), property.line, property.key, property.value, must_be);
}

std::string ConnectorValues::ignored(const Property& property, std::string_view why) const {
  return fmt::format("{}:{}: {} is ignored: {}", properties_.file(), property.line, property.key, why);
}

Result<int64_t> ConnectorValues::number(const Property& property, int64_t low, int64_t high) const {
  const std::string_view text = trimmed(property.value);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    return wrong(property, fmt::format("a whole number from {} to {}", low, high));
  return value;
}

Result<bool> ConnectorValues::boolean(const Property& property) const {
  const std::string_view text = trimmed(property.value);
  if (text != "true" && text != "false") return wrong(property, "true or false");
  return text == "true";
}

Result<std::string> ConnectorValues::class_name(const Property& property, std::string_view packages) const {
  const std::string_view text = trimmed(property.value);
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::string(text);
  if (!is_one_of(text.substr(0, dot), packages)) return refuse(property, "this class is not known here");
  return std::string(text.substr(dot + 1));
}

}  // namespace pinflow::sink
