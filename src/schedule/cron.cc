#include "schedule/cron.h"

#include <array>
#include <bit>
#include <cctype>
#include <span>

namespace pinflow::schedule {
namespace {

struct Field {
  const char* name;
  int least, most;
  std::span<const std::string_view> names;  // of least, least + 1, …
};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
const std::array<Field, 5> kFields{{{"minute", 0, 59, {}},
                                    {"hour", 0, 23, {}},
                                    {"day of the month", 1, 31, {}},
                                    {"month", 1, 12, kMonths},
                                    {"day of the week", 0, 7, kDays}}};

struct Nickname {
  std::string_view name, means;
};
constexpr std::array<Nickname, 7> kNicknames{{{"@yearly", "0 0 1 1 *"},
                                              {"@annually", "0 0 1 1 *"},
                                              {"@monthly", "0 0 1 * *"},
                                              {"@weekly", "0 0 * * 0"},
                                              {"@daily", "0 0 * * *"},
                                              {"@midnight", "0 0 * * *"},
                                              {"@hourly", "0 * * * *"}}};

std::string folded(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

// Reads one field at `at`, which it leaves behind it.
class FieldReader {
 public:
  FieldReader(std::string_view text, size_t& at, const Field& field) : text_(text), at_(at), field_(field) {}

  Result<uint64_t> read() {
    uint64_t values = 0;
    do {
      auto one = part();
      if (!one) return one;
      values |= *one;
    } while (take(','));
    if (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\t')
      return wrong("'{}' does not belong there", rest());
    return values;
  }

 private:
  template <class... A>
  std::unexpected<Error> wrong(fmt::format_string<A...> format, A&&... args) const {
    return invalid("the cron expression '{}', column {} ({}): {}", text_, at_ + 1, field_.name,
                   fmt::format(format, std::forward<A>(args)...));
  }

  std::string_view rest() const {
    const size_t end = text_.find_first_of(" \t,", at_);
    return text_.substr(at_, end == std::string_view::npos ? end : std::max(end, at_ + 1) - at_);
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Result<int> number() {
    const size_t begin = at_;
    int value = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 && at_ - begin < 4)
      value = value * 10 + (text_[at_++] - '0');
    if (at_ > begin) return value;
    return wrong("a number is missing");
  }

  Result<int> value() {
    const size_t begin = at_;
    if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) {
      size_t end = at_;
      while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])) != 0) ++end;
      const std::string name = folded(text_.substr(at_, end - at_));
      for (size_t i = 0; i < field_.names.size(); ++i) {
        if (field_.names[i] != name) continue;
        at_ = end;
        return field_.least + static_cast<int>(i);
      }
      if (field_.names.empty()) return wrong("'{}' is no number", rest());
      return wrong("'{}' is no {}; they are {}", rest(), field_.name, fmt::join(field_.names, ", "));
    }
    if (rest().empty()) return wrong("a value is missing");
    if (std::isdigit(static_cast<unsigned char>(text_[at_])) == 0) return wrong("'{}' is no number", rest());
    const auto read = number();
    if (read && *read >= field_.least && *read <= field_.most) return read;
    at_ = begin;
    return wrong("'{}' is not from {} to {}", rest(), field_.least, field_.most);
  }

  Result<uint64_t> part() {
    int from = field_.least, to = field_.most;
    bool range = true;
    if (!take('*')) {
      const size_t begin = at_;
      auto first = value();
      if (!first) return pass(first.error());
      from = to = *first;
      range = take('-');
      if (range) {
        auto last = value();
        if (!last) return pass(last.error());
        to = *last;
        if (to < from) {
          at_ = begin;
          return wrong("the range '{}' ends before it begins", rest());
        }
      }
    }
    int step = 1;
    if (at_ < text_.size() && text_[at_] == '/') {
      if (!range) return wrong("a step follows '*' or a range: '*/5', '10-50/5'");
      ++at_;
      const size_t begin = at_;
      auto given = number();
      if (!given) return pass(given.error());
      step = *given;
      if (step < 1 || step > field_.most) {
        at_ = begin;
        return wrong("the step '{}' is not from 1 to {}", rest(), field_.most);
      }
    }
    uint64_t values = 0;
    for (int i = from; i <= to; i += step) values |= uint64_t{1} << i;
    return values;
  }

  std::string_view text_;
  size_t& at_;
  const Field& field_;
};

}  // namespace

bool Cron::day(int month, int day, int weekday) const {
  const bool in_month = (days_ >> day & 1) != 0, in_week = (weekdays_ >> weekday & 1) != 0;
  return (months_ >> month & 1) != 0 && (either_day_ ? in_month || in_week : in_month && in_week);
}

int Cron::times_a_day() const { return std::popcount(minutes_) * std::popcount(hours_); }

Result<Cron> Cron::parse(std::string_view text) {
  Cron cron;
  cron.text_ = text;
  if (text.starts_with('@')) {
    std::string names;
    for (const auto& [name, means] : kNicknames) {
      if (folded(text) == name) {
        auto meant = parse(means);
        meant->text_ = text;
        return meant;
      }
      names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    return invalid("the cron expression '{}', column 1: there is no such name; they are {}", text, names);
  }
  std::array<uint64_t, 5> values{};
  std::array<bool, 5> star{};
  size_t at = 0;
  for (size_t i = 0; i < kFields.size(); ++i) {
    at = std::min(text.find_first_not_of(" \t", at), text.size());
    if (at == text.size()) {
      return invalid(
          "the cron expression '{}', column {}: the {} is missing; there are five fields: minute, hour, day of the "
          "month, month, day of the week",
          text, at + 1, kFields[i].name);
    }
    star[i] = text[at] == '*';
    auto read = FieldReader(text, at, kFields[i]).read();
    if (!read) return pass(read.error());
    values[i] = *read;
  }
  if (const size_t more = text.find_first_not_of(" \t", at); more != std::string_view::npos)
    return invalid("the cron expression '{}', column {}: there are only five fields", text, more + 1);
  cron.minutes_ = values[0];
  cron.hours_ = static_cast<uint32_t>(values[1]);
  cron.days_ = static_cast<uint32_t>(values[2]);
  cron.months_ = static_cast<uint32_t>(values[3]);
  cron.weekdays_ = static_cast<uint32_t>((values[4] | values[4] >> 7) & 0x7f);
  cron.recurs_ = star[0] || star[1];
  cron.either_day_ = !star[2] && !star[4];
  constexpr int kLongest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool comes = cron.either_day_;
  for (int month = 1; month <= 12; ++month)
    comes = comes || ((values[3] >> month & 1) != 0 && std::countr_zero(values[2]) <= kLongest[month]);
  if (!comes) return invalid("the cron expression '{}' never comes: none of its months has such a day", text);
  return cron;
}

}  // namespace pinflow::schedule
