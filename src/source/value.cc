#include "source/value.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/json.h"
#include "base/utf8.h"

namespace pinflow::source {
namespace {

using pipeline::SourceType;

// Two digits at `at`, or -1.
int two_digits(std::string_view text, size_t at) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digit(text[at]) || !digit(text[at + 1])) return -1;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

void append_padded(std::string& to, unsigned value, int width) {
  char digits[8];
  for (int i = width - 1; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  to.append(digits, static_cast<size_t>(width));
}

// What a message shows of a value.
std::string shown(const Value& value) {
  std::string text;
  append_json(text, value);
  if (text.size() <= 60) return text;
  return fmt::format("{}… ({} bytes)", utf8_prefix(text, 60), text.size());
}

}  // namespace

void append_real(std::string& to, double value) {
  if (!std::isfinite(value)) {
    to += "null";
    return;
  }
  const double size = std::fabs(value);
  const bool plain = value == 0 || (size >= 1e-4 && size < 1e16);
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, value, plain ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  const std::string_view digits(text, static_cast<size_t>(end - text));
  to += digits;
  if (plain && digits.find('.') == std::string_view::npos) to += ".0";
}

void append_single(std::string& to, float value) {
  if (const auto wide = as_single(value)) append_real(to, *wide);
  else to += "null";
}

void append_json(std::string& to, const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: to += "null"; return;
    case Value::Kind::integer: {
      char text[24];
      to.append(text, std::to_chars(text, text + sizeof text, value.integer).ptr);
      return;
    }
    case Value::Kind::real: append_real(to, value.real); return;
    case Value::Kind::text: append_json_string(to, value.text); return;
  }
}

std::optional<double> as_single(double value) {
  const auto single = static_cast<float>(value);
  if (!std::isfinite(single)) return {};
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, single, std::chars_format::scientific).ptr;  // fewest digits
  double wide = 0;
  std::from_chars(text, end, wide);
  return wide;
}

std::optional<int64_t> datetime_seconds(std::string_view text) {
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') ||
      text[13] != ':' || text[16] != ':') {
    return {};
  }
  const int century = two_digits(text, 0), years = two_digits(text, 2), month = two_digits(text, 5);
  const int day = two_digits(text, 8), hour = two_digits(text, 11), minute = two_digits(text, 14);
  const int second = two_digits(text, 17);
  if (century < 10 || years < 0 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    return {};
  }
  const std::chrono::year_month_day date{std::chrono::year{century * 100 + years},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return {};
  const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

std::optional<std::string> as_datetime(std::string_view text) {
  if (!datetime_seconds(text)) return {};
  std::string exact(text);
  exact[10] = ' ';
  return exact;
}

void append_datetime(std::string& to, int64_t seconds) {
  int64_t day = seconds / 86400, rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --day;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  append_padded(to, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  to += '-';
  append_padded(to, static_cast<unsigned>(date.month()), 2);
  to += '-';
  append_padded(to, static_cast<unsigned>(date.day()), 2);
  to += ' ';
  append_padded(to, static_cast<unsigned>(rest / 3600), 2);
  to += ':';
  append_padded(to, static_cast<unsigned>(rest / 60 % 60), 2);
  to += ':';
  append_padded(to, static_cast<unsigned>(rest % 60), 2);
}

Result<> fit(Value& value, const pipeline::SourceColumn& column) {
  if (value.kind == Value::Kind::null) return {};
  switch (column.type) {
    case SourceType::integer:
    case SourceType::bigint: {
      if (value.kind != Value::Kind::integer) return invalid("{} is no whole number", shown(value));
      const bool wide = column.type == SourceType::bigint;
      if (!wide && (value.integer < std::numeric_limits<int32_t>::min() ||
                    value.integer > std::numeric_limits<int32_t>::max())) {
        return invalid("{} does not fit in 32 bits", value.integer);
      }
      return {};
    }
    case SourceType::float_:
    case SourceType::double_: {
      if (value.kind == Value::Kind::integer) value.set(static_cast<double>(value.integer));
      if (value.kind != Value::Kind::real) return invalid("{} is no number", shown(value));
      if (column.type == SourceType::double_) return {};
      const auto single = as_single(value.real);
      if (!single) return invalid("{} does not fit in a 32-bit float", shown(value));
      value.real = *single;
      return {};
    }
    case SourceType::text:
      if (value.kind != Value::Kind::text) return invalid("{} is no text", shown(value));
      return {};
    case SourceType::datetime: {
      auto exact = value.kind == Value::Kind::text ? as_datetime(value.text) : std::nullopt;
      if (!exact) return invalid("{} is no datetime (YYYY-MM-DD HH:MM:SS)", shown(value));
      value.text = std::move(*exact);
      return {};
    }
  }
  std::abort();
}

}  // namespace pinflow::source
