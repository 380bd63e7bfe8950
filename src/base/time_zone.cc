#include "base/time_zone.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/bytes.h"
#include "base/files.h"

namespace pinflow {
namespace {

constexpr std::string_view kFolder = "/usr/share/zoneinfo/";
constexpr size_t kHeaderBytes = 44;

int64_t days_of(int year, int month, int day) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                  std::chrono::day(static_cast<unsigned>(day)))
      .time_since_epoch()
      .count();
}

int year_of(int64_t seconds) {
  using namespace std::chrono;
  return static_cast<int>(year_month_day(floor<days>(sys_seconds(std::chrono::seconds(seconds)))).year());
}

bool is_leap(int year) { return std::chrono::year(year).is_leap(); }

// Reads the parts of a POSIX TZ string from the left.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool number(int& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return true;
  }
  bool name(std::string& value) {
    const bool quoted = skip('<');
    size_t length = 0;
    while (length < rest_.size() &&
           (quoted ? rest_[length] != '>' : std::isalpha(static_cast<unsigned char>(rest_[length])) != 0))
      ++length;
    value = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || skip('>'));
  }
  // [+-]hh[:mm[:ss]]
  bool time(int64_t& seconds) {
    const bool minus = skip('-');
    if (!minus) skip('+');
    int hours = 0, minutes = 0, rest = 0;
    if (!number(hours)) return false;
    if (skip(':') && !number(minutes)) return false;
    if (minutes >= 0 && skip(':') && !number(rest)) return false;
    seconds = (hours * 3600 + minutes * 60 + rest) * (minus ? -1 : 1);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

int64_t TimeZone::Change::local_s(int year) const {
  int64_t days = 0;
  if (kind == 0) {
    days = days_of(year, 1, 1) + day - 1 + (is_leap(year) && day >= 60 ? 1 : 0);
  } else if (kind == 1) {
    days = days_of(year, 1, 1) + day;
  } else {
    const int64_t first = days_of(year, month, 1);
    const auto weekday = static_cast<int>((first % 7 + 11) % 7);  // 1970-01-01 was a Thursday
    days = first + (day - weekday + 7) % 7 + (week - 1) * 7;
    const int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    while (days >= next) days -= 7;
  }
  return days * 86'400 + time_s;
}

TimeZone TimeZone::utc() {
  TimeZone zone;
  zone.name_ = "UTC";
  zone.kinds_ = {{0, "UTC"}};
  return zone;
}

Result<TimeZone> TimeZone::load(const std::string& name) {
  if (name == "UTC" || name == "Z" || name == "GMT" || name == "Etc/UTC") {
    TimeZone zone = utc();
    zone.name_ = name;
    if (name == "GMT") zone.kinds_ = {{0, "GMT"}};
    return zone;
  }
  const bool odd = name.empty() || name.starts_with('/') || name.contains("..") || name.contains('\0');
  auto bytes = odd ? Result<std::string>(not_found("")) : read_file(std::string(kFolder) + name);
  if (!bytes)
    return invalid("'{}' is no time zone of this machine ({}); one such as Europe/Paris or UTC is meant", name,
                   kFolder);
  return parse(name, *bytes);
}

Result<TimeZone> TimeZone::parse(std::string name, std::string_view bytes) {
  const auto broken = [&] {
    return invalid("the time zone '{}': its file is no TZif file of version 2 or later", name);
  };
  const auto count_at = [&](size_t base, int which) {
    return static_cast<size_t>(load_big<uint32_t>(bytes.data() + base + 20 + 4 * which));
  };
  // Six counts: isut, isstd, leap, time, type, char. The first block has 32-bit times; the second is the one to read.
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif") || bytes[4] < '2') return broken();
  size_t at = kHeaderBytes + count_at(0, 3) * 5 + count_at(0, 4) * 6 + count_at(0, 5) + count_at(0, 2) * 8 +
              count_at(0, 1) + count_at(0, 0);
  if (bytes.size() < at + kHeaderBytes || bytes.substr(at, 4) != "TZif") return broken();
  const size_t times = count_at(at, 3), types = count_at(at, 4), chars = count_at(at, 5);
  const size_t body = at + kHeaderBytes;
  const size_t footer = body + times * 9 + types * 6 + chars + count_at(at, 2) * 12 + count_at(at, 1) + count_at(at, 0);
  if (footer > bytes.size() || types == 0) return broken();

  TimeZone zone;
  zone.name_ = std::move(name);
  for (size_t i = 0; i < times; ++i) {
    zone.times_.push_back(load_big<int64_t>(bytes.data() + body + 8 * i));
    zone.kinds_of_times_.push_back(static_cast<uint8_t>(bytes[body + 8 * times + i]));
    if (zone.kinds_of_times_.back() >= types) return broken();
  }
  const size_t first_type = body + times * 9;
  const std::string_view names = bytes.substr(first_type + types * 6, chars);
  for (size_t i = 0; i < types; ++i) {
    const char* type = bytes.data() + first_type + 6 * i;
    const auto index = static_cast<uint8_t>(type[5]);
    if (index >= names.size()) return broken();
    const std::string_view abbreviation = names.substr(index);
    zone.kinds_.push_back({load_big<int32_t>(type), std::string(abbreviation.substr(0, abbreviation.find('\0')))});
  }
  if (footer + 1 < bytes.size()) {
    std::string_view text = bytes.substr(footer + 1);
    text = text.substr(0, text.find('\n'));
    if (!text.empty() && !zone.parse_footer(text)) return broken();
  }
  return zone;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": standard time, and what there is of summer time. West of Greenwich is positive.
Result<> TimeZone::parse_footer(std::string_view text) {
  Scanner scanner(text);
  const auto change = [&](Change& to) {
    if (!scanner.skip(',')) return false;
    bool good = true;
    if (scanner.skip('M')) {
      to.kind = 2;
      good = scanner.number(to.month) && scanner.skip('.') && scanner.number(to.week) && scanner.skip('.') &&
             scanner.number(to.day) && to.month >= 1 && to.month <= 12;
    } else {
      to.kind = scanner.skip('J') ? 0 : 1;
      good = scanner.number(to.day);
    }
    return good && (!scanner.skip('/') || scanner.time(to.time_s));
  };
  int64_t west = 0;
  bool good = scanner.name(standard_.abbreviation) && scanner.time(west);
  standard_.offset_s = static_cast<int>(-west);
  if (good && !scanner.done()) {
    has_summer_ = true;
    good = scanner.name(summer_.abbreviation);
    summer_.offset_s = standard_.offset_s + 3600;
    if (good && scanner.time(west)) summer_.offset_s = static_cast<int>(-west);
    good = good && change(begins_) && change(ends_) && scanner.done();
  }
  if (!good) return invalid("'{}' is no rule of a time zone", text);
  has_rule_ = true;
  return {};
}

const TimeZone::Kind& TimeZone::kind_at(int64_t utc_s) const {
  if (has_rule_ && (times_.empty() || utc_s >= times_.back())) {
    if (!has_summer_) return standard_;
    const int year = year_of(utc_s + standard_.offset_s);
    const int64_t begin = begins_.local_s(year) - standard_.offset_s;
    const int64_t end = ends_.local_s(year) - summer_.offset_s;
    const bool summer = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
    return summer ? summer_ : standard_;
  }
  const auto behind = std::ranges::upper_bound(times_, utc_s);
  if (behind == times_.begin()) return kinds_.front();
  return kinds_[kinds_of_times_[static_cast<size_t>(behind - times_.begin()) - 1]];
}

LocalTime TimeZone::at(int64_t utc_ms) const {
  const Kind& kind = kind_at(utc_ms >= 0 ? utc_ms / 1000 : (utc_ms - 999) / 1000);
  return {utc_ms + int64_t{kind.offset_s} * 1000, kind.offset_s, kind.abbreviation};
}

int64_t TimeZone::to_utc_ms(int64_t local_ms) const {
  // The offsets of a day before and a day after: between them lies at most one change.
  constexpr int64_t kDay = 86'400'000;
  const int64_t before = at(local_ms - kDay).offset_s * int64_t{1000};
  const int64_t after = at(local_ms + kDay).offset_s * int64_t{1000};
  if (at(local_ms - before).ms == local_ms) return local_ms - before;  // also the first of two
  if (at(local_ms - after).ms == local_ms) return local_ms - after;
  // In a gap: the instant of the change lies between the two readings; it is found by halves.
  int64_t low = local_ms - after, high = local_ms - before;
  const int old_offset = at(low).offset_s;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (at(middle).offset_s == old_offset ? low : high) = middle;
  }
  return high;
}

}  // namespace pinflow
