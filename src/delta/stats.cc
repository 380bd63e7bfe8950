#include "delta/stats.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"

namespace pinflow::delta {
namespace {

std::optional<int64_t> integer_of(std::string_view plain) {
  if (plain.size() == 4) {
    int32_t value;
    std::memcpy(&value, plain.data(), 4);
    return value;
  }
  if (plain.size() == 8) {
    int64_t value;
    std::memcpy(&value, plain.data(), 8);
    return value;
  }
  return std::nullopt;
}

std::string date_text(int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

// Times are cut down to milliseconds in both bounds, as the protocol says; readers allow for it.
int64_t floor_ms(int64_t micros) { return micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000); }

// ISO 8601 has four digits for a year: 0001-01-01 to 9999-12-31.
bool writable_day(int64_t days) { return days >= -719162 && days < 2932897; }
bool writable_time(int64_t micros) { return micros >= -62135596800000000 && micros < 253402300800000000; }

bool is_integer_type(std::string_view type) {
  return type == "long" || type == "integer" || type == "short" || type == "byte" || type == "date" ||
         type == "timestamp";
}

// A bound as JSON; empty where it cannot be written.
std::string integer_json(std::string_view type, int64_t value) {
  if (type == "date") return writable_day(value) ? json_string(date_text(value)) : "";
  if (type == "timestamp") return writable_time(value) ? json_string(iso_time(floor_ms(value))) : "";
  return fmt::format("{}", value);
}

struct Bounds {
  std::string least;  // JSON; empty where there is none
  std::string most;
};

Bounds bounds_of(const LeafStats& leaf, std::string_view type) {
  Bounds bounds;
  if (!leaf.minimums || !leaf.maximums || leaf.minimums->empty() || leaf.maximums->empty()) return bounds;
  if (type == "string") {
    bounds.least = json_string(lower_bound(*std::ranges::min_element(*leaf.minimums)));
    const std::string most = upper_bound(*std::ranges::max_element(*leaf.maximums));
    const bool none = most.empty() && !std::ranges::max_element(*leaf.maximums)->empty();
    if (!none) bounds.most = json_string(most);
    return bounds;
  }
  if (!is_integer_type(type)) return bounds;
  const auto best = [](const std::vector<std::string>& values, auto better) -> std::optional<int64_t> {
    std::optional<int64_t> best;
    for (const std::string& plain : values) {
      const auto value = integer_of(plain);
      if (!value) return std::nullopt;
      if (!best || better(*value, *best)) best = value;
    }
    return best;
  };
  if (const auto least = best(*leaf.minimums, std::less<>())) bounds.least = integer_json(type, *least);
  if (const auto most = best(*leaf.maximums, std::greater<>())) bounds.most = integer_json(type, *most);
  return bounds;
}

// The next character's UTF-8 after the one given; empty after U+10FFFF.
std::string next_character(std::string_view character) {
  uint32_t code = 0;
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 1: code = byte(0); break;
    case 2: code = (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f); break;
    case 3: code = (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f); break;
    default: code = (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f); break;
  }
  if (code == 0x10FFFF) return {};
  code = code == 0xD7FF ? 0xE000 : code + 1;  // surrogates are no characters
  std::string next;
  const auto put = [&](uint32_t value) { next.push_back(static_cast<char>(value)); };
  if (code < 0x80) put(code);
  else if (code < 0x800) put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
  else if (code < 0x10000) put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  else
    put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  return next;
}

}  // namespace

std::string lower_bound(std::string_view text) {
  size_t end = 0;
  for (size_t characters = 0; end < text.size() && characters < kStatsPrefix; ++characters) {
    const size_t length = utf8_length(text.substr(end));
    if (length == 0) break;
    end += length;
  }
  return std::string(text.substr(0, end));
}

std::string upper_bound(std::string_view text) {
  std::string prefix = lower_bound(text);
  if (prefix.size() == text.size()) return prefix;
  while (!prefix.empty()) {
    size_t start = prefix.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(prefix[start]) & 0xc0) == 0x80) --start;
    const std::string next = next_character(std::string_view(prefix).substr(start));
    prefix.resize(start);
    if (!next.empty()) return prefix + next;
  }
  return {};
}

std::string make_stats(const ParquetFooter& footer, const std::vector<Column>& columns) {
  JsonWriter least, most, nulls;
  least.begin_object();
  most.begin_object();
  nulls.begin_object();
  for (size_t i = 0; i < columns.size() && i < kMaxStatsColumns; ++i) {
    const Column& column = columns[i];
    const auto leaf = std::ranges::find_if(
        footer.leaves, [&](const LeafStats& one) { return one.path.size() == 1 && one.path.front() == column.name; });
    if (leaf == footer.leaves.end()) continue;
    if (leaf->null_count) nulls.key(column.name).number(*leaf->null_count);
    const Bounds bounds = bounds_of(*leaf, column.type);
    if (!bounds.least.empty()) least.key(column.name).raw(bounds.least);
    if (!bounds.most.empty()) most.key(column.name).raw(bounds.most);
  }
  JsonWriter stats;
  stats.begin_object().key("numRecords").number(footer.rows);
  stats.key("minValues").raw(least.end_object().text());
  stats.key("maxValues").raw(most.end_object().text());
  stats.key("nullCount").raw(nulls.end_object().text());
  return stats.key("tightBounds").boolean(true).end_object().take();
}

}  // namespace pinflow::delta
