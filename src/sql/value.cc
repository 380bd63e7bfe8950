#include "sql/value.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>

#include "base/json.h"
#include "base/utf8.h"

namespace pinflow::sql {
namespace {

std::string text_of(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

void put_json(JsonWriter& json, const Value& value) {
  if (value.null()) {
    json.null();
  } else if (const auto* flag = std::get_if<bool>(&value.is)) {
    json.boolean(*flag);
  } else if (const auto* number = std::get_if<int64_t>(&value.is)) {
    json.number(*number);
  } else if (const auto* real = std::get_if<double>(&value.is)) {
    json.number(*real);
  } else if (const auto* text = std::get_if<std::string>(&value.is)) {
    json.string(*text);
  } else if (const auto* time = std::get_if<Timestamp>(&value.is)) {
    json.string(text_of(*time));
  } else if (const auto* list = std::get_if<List>(&value.is)) {
    json.begin_array();
    for (const Value& each : *list) put_json(json, each);
    json.end_array();
  } else {
    json.begin_object();
    for (const auto& [name, member] : value.members()) {
      json.key(name);
      put_json(json, member);
    }
    json.end_object();
  }
}

bool is_number(const Value& value) {
  return std::holds_alternative<int64_t>(value.is) || std::holds_alternative<double>(value.is);
}

// One line, whatever the text holds: a newline or an escape sequence of a foreign record must not upset a terminal.
std::string shown(std::string_view text, size_t widest) {
  std::string out;
  size_t characters = 0;
  while (!text.empty()) {
    if (widest > 0 && characters == widest) return out + "…";
    const size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (text[0] == '\n') {
      out += "\\n";
    } else if (text[0] == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
    ++characters;
  }
  return out;
}

size_t width_of(std::string_view text) {
  size_t characters = 0;
  for (const char c : text) characters += (c & 0xC0) != 0x80;
  return characters;
}

}  // namespace

const Value* Value::find(std::string_view member) const {
  for (const auto& [name, value] : members()) {
    if (name == member) return &value;
  }
  return nullptr;
}

bool operator==(const Value& a, const Value& b) { return a.is == b.is; }

std::string text_of(Timestamp time) {
  using namespace std::chrono;
  const sys_time<microseconds> moment{microseconds{time.micros}};
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss<microseconds> clock{moment - day};
  std::string out = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    out += fmt::format(".{:06}", fraction);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

std::string text_of(const Value& value) {
  if (value.null()) return {};
  if (const auto* flag = std::get_if<bool>(&value.is)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value.is)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&value.is)) return text_of(*real);
  if (const auto* text = std::get_if<std::string>(&value.is)) return *text;
  if (const auto* time = std::get_if<Timestamp>(&value.is)) return text_of(*time);
  if (const auto* list = std::get_if<List>(&value.is)) {
    std::string out = "[";
    for (const Value& each : *list) {
      if (out.size() > 1) out += ", ";
      out += each.null() ? "NULL" : text_of(each);
    }
    return out + "]";
  }
  std::string out = "{";
  for (const auto& [name, member] : value.members()) {
    if (out.size() > 1) out += ", ";
    out += name + ": " + (member.null() ? "NULL" : text_of(member));
  }
  return out + "}";
}

std::string json_of(const Value& value) {
  JsonWriter json;
  put_json(json, value);
  return json.take();
}

std::string as_text(const Table& table, size_t widest) {
  std::vector<std::vector<std::string>> cells;
  std::vector<size_t> widths;
  std::vector<bool> right(table.columns.size(), true);
  auto& head = cells.emplace_back();
  for (const ColumnInfo& column : table.columns) {
    head.push_back(shown(column.name, 0));
    widths.push_back(width_of(head.back()));
  }
  for (const auto& row : table.rows) {
    auto& line = cells.emplace_back();
    for (size_t c = 0; c < row.size(); ++c) {
      line.push_back(shown(text_of(row[c]), widest));
      widths[c] = std::max(widths[c], width_of(line.back()));
      if (!row[c].null() && !is_number(row[c])) right[c] = false;
    }
  }
  std::string out;
  for (const auto& line : cells) {
    std::string text;
    for (size_t c = 0; c < line.size(); ++c) {
      if (c > 0) text += "  ";
      const std::string padding(widths[c] - width_of(line[c]), ' ');
      text += right[c] && !table.rows.empty() ? padding + line[c] : line[c] + padding;
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out += text + "\n";
  }
  return out;
}

std::string as_json(const Table& table) {
  JsonWriter json;
  json.begin_array();
  for (const auto& row : table.rows) {
    json.begin_object();
    for (size_t c = 0; c < row.size(); ++c) {
      json.key(table.columns[c].name);
      put_json(json, row[c]);
    }
    json.end_object();
  }
  json.end_array();
  return json.take();
}

std::string as_csv(const Table& table) {
  std::string out;
  const auto put = [&out](std::string_view text, bool quote) {
    if (!quote && text.find_first_of("\",\r\n") == std::string_view::npos) {
      out += text;
      return;
    }
    out += '"';
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  };
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) out += ',';
    put(table.columns[c].name, false);
  }
  out += "\r\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      if (c > 0) out += ',';
      const std::string text = text_of(row[c]);
      put(text, text.empty() && !row[c].null());
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace pinflow::sql
