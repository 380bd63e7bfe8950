#include "lake/versions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/clock.h"
#include "delta/table.h"
#include "delta/travel.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Without comments and texts in quotes: the words that name something.
std::string names_part(std::string_view sql) {
  std::string out;
  for (size_t i = 0; i < sql.size();) {
    const std::string_view rest = sql.substr(i);
    size_t end = std::string_view::npos;
    if (rest.starts_with("--")) end = rest.find('\n');
    else if (rest.starts_with("/*")) end = rest.find("*/", 2);
    else if (rest.starts_with('\'')) end = rest.find('\'', 1);
    else {
      out += rest.front();
      ++i;
      continue;
    }
    out += ' ';
    i = end == std::string_view::npos ? sql.size() : i + end + (rest.starts_with("/*") ? 2 : 1);
  }
  return out;
}

// The name stands in the text by itself; both in small letters.
bool names(const std::string& text, const std::string& name) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace

Result<int64_t> parse_moment(std::string_view text) {
  std::string iso(text);
  if (iso.size() == 10) iso += "T00:00:00Z";
  if (iso.size() > 10 && iso[10] == ' ') iso[10] = 'T';
  if (iso.size() == 16) iso += ":00";
  if (!iso.ends_with('Z') && !iso.ends_with("+00:00")) iso += 'Z';
  const auto ms = parse_iso_time(iso);
  if (!ms)
    return invalid("'{}' is no time: 2026-11-20T23:06:31Z is one, and so are \"2026-11-20 23:06\" and 2026-11-20 (UTC)",
                   text);
  return *ms;
}

Result<VersionChoice> parse_choice(const std::vector<std::string>& versions, const std::string& at) {
  VersionChoice choice;
  for (const std::string& word : versions) {
    const size_t equals = word.find('=');
    const auto number = whole_number(equals == std::string::npos ? word : word.substr(equals + 1));
    if (!number || equals == 0) return invalid("--version {}: a whole number or TABLE=NUMBER is meant", word);
    const std::string table = equals == std::string::npos ? "" : word.substr(0, equals);
    if (choice.versions.contains(table)) return invalid("--version is given twice for the table {}", table);
    if (!table.empty()) choice.versions[table] = *number;
    else if (choice.version) return invalid("--version is given twice; say of which table, as --version TABLE=NUMBER");
    else choice.version = number;
  }
  if (at.empty()) return choice;
  if (choice.version) return invalid("--at and --version exclude each other, but for --version TABLE=NUMBER");
  const auto moment = parse_moment(at);
  if (!moment) return pass(moment.error(), "--at");
  choice.at_ms = *moment;
  return choice;
}

std::vector<std::string> tables_in(const pipeline::Pipeline& pipeline, const std::vector<std::string>& sql) {
  std::string text;
  for (const std::string& one : sql) text += lower(names_part(one)) + "\n";
  std::vector<std::string> tables;
  const auto add = [&](const std::string& table, bool named) {
    if (named && !table.empty() && std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
  };
  for (const pipeline::RecordType& record : pipeline.records) {
    add(record.table, names(text, lower(record.table)) || names(text, lower(record.name)));
    add(record.stream_table, !record.stream_table.empty() && names(text, lower(record.stream_table)));
  }
  for (const char* table : {kDeadTable, kDeadStreamTable}) add(table, names(text, table));
  return tables;
}

Result<VersionChoice> settle(VersionChoice choice, const std::vector<std::string>& read) {
  if (choice.version) {
    if (read.size() != 1) {
      return invalid("--version {}: {}; say of which, as --version {}={}", *choice.version,
                     read.empty() ? "no table is read" : fmt::format("the tables {} are read", fmt::join(read, ", ")),
                     read.empty() ? "TABLE" : read.front(), *choice.version);
    }
    choice.versions[read.front()] = *choice.version;
    choice.version.reset();
  }
  for (const auto& [table, version] : choice.versions) {
    if (std::ranges::find(read, table) == read.end())
      return invalid("--version {}={}: that table is not read; there are: {}", table, version, fmt::join(read, ", "));
  }
  if (choice.at_ms && !read.empty() && choice.versions.size() == read.size()) {
    return invalid(
        "--at and --version exclude each other for the same table, and no other than {} {} read; leave one of both "
        "away",
        fmt::join(read, ", "), read.size() == 1 ? "is" : "are");
  }
  return choice;
}

Result<std::optional<delta::Snapshot>> find_snapshot(object::Store& store, const std::string& table,
                                                     const VersionChoice& choice) {
  std::optional<int64_t> version;
  if (const auto chosen = choice.versions.find(table); chosen != choice.versions.end()) {
    version = chosen->second;
  } else if (choice.version) {
    version = choice.version;
  } else if (choice.at_ms) {
    const auto then = delta::version_at(store, table_folder(table), *choice.at_ms);
    if (!then) return pass(then.error(), "table {}", table);
    version = *then;
  }
  if (!version) return find_snapshot(store, table);
  auto snapshot = delta::read_snapshot(store, table_folder(table), *version);
  if (!snapshot) return pass(snapshot.error(), "table {}", table);
  return std::move(*snapshot);
}

}  // namespace pinflow::lake
