#include "delta/properties.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>

namespace pinflow::delta {
namespace {

struct Unit {
  std::string_view name;
  double ms;
};
constexpr std::array kUnits = {Unit{"week", 7.0 * kDayMs},     Unit{"day", 1.0 * kDayMs},    Unit{"hour", 3'600'000.0},
                               Unit{"minute", 60'000.0},       Unit{"second", 1'000.0},      Unit{"millisecond", 1.0},
                               Unit{"microsecond", 1.0 / 1e3}, Unit{"nanosecond", 1.0 / 1e6}};

std::string_view next_word(std::string_view& rest) {
  const size_t start = rest.find_first_not_of(" \t");
  if (start == std::string_view::npos) return rest = {}, rest;
  const size_t end = std::min(rest.find_first_of(" \t", start), rest.size());
  const std::string_view word = rest.substr(start, end - start);
  rest.remove_prefix(end);
  return word;
}

std::unexpected<Error> no_interval(std::string_view text) {
  return invalid("'{}' is no interval of weeks, days, hours, minutes or seconds, as \"interval 7 days\" is", text);
}

Result<int64_t> retention(const Metadata& metadata, const std::string& property, int64_t otherwise) {
  const auto found = metadata.configuration.find(property);
  if (found == metadata.configuration.end()) return otherwise;
  auto ms = parse_interval(found->second);
  if (!ms) return pass(ms.error(), "the table's property {}", property);
  return ms;
}

}  // namespace

Result<int64_t> parse_interval(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string_view rest = lower;
  std::string_view word = next_word(rest);
  if (word == "interval") word = next_word(rest);
  double ms = 0;
  if (word.empty()) return no_interval(text);
  for (; !word.empty(); word = next_word(rest)) {
    double count = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    if (error != std::errc() || end != word.data() + word.size() || !(count >= 0)) return no_interval(text);
    std::string_view unit = next_word(rest);
    if (unit.ends_with('s')) unit.remove_suffix(1);
    const auto known = std::ranges::find(kUnits, unit, &Unit::name);
    if (known == kUnits.end()) return no_interval(text);
    ms += count * known->ms;
  }
  if (ms > 1e15) return no_interval(text);
  return static_cast<int64_t>(ms);
}

Result<int64_t> log_retention_ms(const Metadata& metadata) {
  return retention(metadata, "delta.logRetentionDuration", 30 * kDayMs);
}

Result<int64_t> file_retention_ms(const Metadata& metadata) {
  return retention(metadata, "delta.deletedFileRetentionDuration", 7 * kDayMs);
}

bool log_cleanup_enabled(const Metadata& metadata) {
  const auto found = metadata.configuration.find("delta.enableExpiredLogCleanup");
  return found == metadata.configuration.end() || found->second != "false";
}

}  // namespace pinflow::delta
