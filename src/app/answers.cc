#include "app/answers.h"

#include <fmt/format.h>

#include "app/counts.h"

namespace pinflow::app {
namespace {

constexpr size_t kWidestCell = 48;  // characters

std::string indented(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out += "  " + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string titled(const std::string& name, const std::string& title, const sql::Table& table, size_t rows) {
  std::string text = fmt::format("{}  ({})\n", title.empty() ? name : title, name);
  if (table.rows.empty()) return text + "  no rows\n\n";
  sql::Table shown = table;
  const bool cut = rows > 0 && shown.rows.size() > rows;
  if (cut) shown.rows.resize(rows);
  text += indented(sql::as_text(shown, kWidestCell));
  if (cut)
    text +=
        fmt::format("  … {} more: pinflow query {}\n", grouped(static_cast<int64_t>(table.rows.size() - rows)), name);
  return text + "\n";
}

std::string in_format(const sql::Table& table, Format format) {
  switch (format) {
    case Format::table: return sql::as_text(table);
    case Format::json: return sql::as_json(table) + "\n";
    case Format::csv: return sql::as_csv(table);
  }
  std::abort();
}

}  // namespace pinflow::app
