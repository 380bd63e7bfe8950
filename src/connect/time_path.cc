#include "connect/time_path.h"

#include <array>
#include <chrono>

namespace pinflow::connect {
namespace {

constexpr std::string_view kLetters = "GCYxwyEeDMdaKhHkmsSzZ";
constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

int64_t floor_to(int64_t value, int64_t step) { return value - ((value % step) + step) % step; }

std::string padded(int64_t value, int width) { return fmt::format("{:0{}}", value, width); }

// Three letters, or all of it where the pattern has four or more.
std::string named(std::string_view name, int count) { return std::string(count >= 4 ? name : name.substr(0, 3)); }

std::string offset_text(int offset_s, int count) {
  const int minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
  return fmt::format("{}{:02}{}{:02}", offset_s < 0 ? '-' : '+', minutes / 60, count >= 2 ? ":" : "", minutes % 60);
}

}  // namespace

Result<TimePath> TimePath::make(std::string_view format, int64_t duration_ms, const std::string& time_zone) {
  if (format.empty()) return invalid("path.format is missing, such as 'year'=YYYY/'month'=MM/'day'=dd");
  if (duration_ms < 1) return invalid("partition.duration.ms must be at least 1, such as 3600000 for an hour");
  auto zone = TimeZone::load(time_zone);
  if (!zone) return pass(zone.error(), "timezone");
  TimePath path(std::move(*zone), duration_ms);
  const auto add_text = [&](std::string_view text) {
    if (path.tokens_.empty() || path.tokens_.back().letter != 0) path.tokens_.push_back({});
    path.tokens_.back().text += text;
  };
  for (size_t at = 0; at < format.size();) {
    const char c = format[at];
    if (c == '\'') {  // 'text', with '' for a quote
      if (at + 1 < format.size() && format[at + 1] == '\'') {
        add_text("'");
        at += 2;
        continue;
      }
      size_t end = at + 1;
      std::string text;
      for (;; ++end) {
        if (end >= format.size()) return invalid("path.format {}: a quote has no end", format);
        if (format[end] != '\'') text += format[end];
        else if (end + 1 < format.size() && format[end + 1] == '\'') text += format[end++];
        else break;
      }
      add_text(text);
      at = end + 1;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      if (!kLetters.contains(c))
        return invalid("path.format {}: '{}' is no letter of a pattern; put text in quotes", format, c);
      const size_t end = std::min(format.find_first_not_of(c, at), format.size());
      path.tokens_.push_back({c, static_cast<int>(end - at), {}});
      at = end;
    } else {
      add_text(std::string_view(&format[at], 1));
      ++at;
    }
  }
  return path;
}

int64_t TimePath::start_of(int64_t utc_ms) const {
  const LocalTime time = zone_.at(utc_ms);
  const int64_t start = zone_.to_utc_ms(floor_to(time.ms, duration_ms_));
  // Where the clock was set back, the same reading may mean the second time.
  return start > utc_ms ? utc_ms : start;
}

std::string TimePath::folder(int64_t utc_ms) const {
  const LocalTime time = zone_.at(start_of(utc_ms));
  std::string result;
  for (const Token& token : tokens_) result += token.letter == 0 ? token.text : field(token, time);
  return result;
}

std::string TimePath::field(const Token& token, const LocalTime& time) const {
  using namespace std::chrono;
  const sys_days day = floor<days>(sys_time<milliseconds>(milliseconds(time.ms)));
  const year_month_day date(day);
  const int64_t ms_of_day = time.ms - duration_cast<milliseconds>(day.time_since_epoch()).count();
  const int64_t hour = ms_of_day / 3'600'000;
  const int count = token.count;
  const int year = static_cast<int>(date.year());
  const auto weekday_number = static_cast<int>(weekday(day).iso_encoding());
  // ISO 8601: the week belongs to the year of its Thursday.
  const sys_days thursday = day + days(4 - weekday_number);
  const int week_year = static_cast<int>(year_month_day(thursday).year());
  const auto week = (thursday - sys_days(std::chrono::year(week_year) / January / 1)).count() / 7 + 1;
  switch (token.letter) {
    case 'G': return year > 0 ? "AD" : "BC";
    case 'C': return padded(year / 100, count);
    case 'Y':
    case 'y': return count == 2 ? padded(year % 100, 2) : padded(year, count);
    case 'x': return count == 2 ? padded(week_year % 100, 2) : padded(week_year, count);
    case 'w': return padded(week, count);
    case 'E': return named(kDays[static_cast<size_t>(weekday_number) - 1], count);
    case 'e': return padded(weekday_number, count);
    case 'D': return padded((day - sys_days(date.year() / January / 1)).count() + 1, count);
    case 'M':
      if (count >= 3) return named(kMonths[static_cast<unsigned>(date.month()) - 1], count);
      return padded(static_cast<unsigned>(date.month()), count);
    case 'd': return padded(static_cast<unsigned>(date.day()), count);
    case 'a': return hour < 12 ? "AM" : "PM";
    case 'K': return padded(hour % 12, count);
    case 'h': return padded(hour % 12 == 0 ? 12 : hour % 12, count);
    case 'H': return padded(hour, count);
    case 'k': return padded(hour == 0 ? 24 : hour, count);
    case 'm': return padded(ms_of_day / 60'000 % 60, count);
    case 's': return padded(ms_of_day / 1000 % 60, count);
    case 'S': {
      const std::string digits = padded(ms_of_day % 1000, 3) + std::string(static_cast<size_t>(count), '0');
      return digits.substr(0, static_cast<size_t>(count));
    }
    case 'z': return time.abbreviation;
    default: return count >= 3 ? zone_.name() : offset_text(time.offset_s, count);  // Z
  }
}

}  // namespace pinflow::connect
