#include "notebook/cells.h"

#include <fmt/format.h>

#include "portable/tokens.h"

namespace pinflow::notebook {

void Cells::add(std::string cell) {
  while (!cell.empty() && (cell.back() == '\n' || cell.back() == ' ')) cell.pop_back();
  if (!text_.empty()) text_ += "\n\n# COMMAND ----------\n\n";
  text_ += cell;
}

void Cells::python(std::string_view code) { add(std::string(code)); }

void Cells::magic(std::string_view command, std::string_view text) {
  std::string cell = fmt::format("# MAGIC {}", command);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    cell += line.empty() ? "\n# MAGIC" : fmt::format("\n# MAGIC {}", line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  add(std::move(cell));
}

void Cells::sql(std::string_view text) { magic("%sql", with_date_parameter(trimmed_sql(text))); }
void Cells::markdown(std::string_view text) { magic("%md", text); }
void Cells::run(std::string_view notebook) { add(fmt::format("# MAGIC %run ./{}", notebook)); }

std::string Cells::text() const { return "# Databricks notebook source\n" + text_ + "\n"; }

std::string python_text(std::string_view text) {
  const bool plain = text.find("\"\"\"") == std::string_view::npos && !text.ends_with('"') && !text.ends_with('\\') &&
                     text.find('\r') == std::string_view::npos && text.find('\0') == std::string_view::npos;
  if (plain && text.find('\n') != std::string_view::npos) return fmt::format("r\"\"\"\n{}\n\"\"\"", text);
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') quoted += fmt::format("\\{}", byte);
    else if (byte == '\n') quoted += "\\n";
    else if (byte == '\r') quoted += "\\r";
    else if (static_cast<unsigned char>(byte) < 0x20) quoted += fmt::format("\\x{:02x}", byte);
    else quoted += byte;
  }
  return quoted + '"';
}

std::string with_date_parameter(std::string_view sql) {
  std::string out;
  size_t copied = 0;
  for (const portable::Token& token : portable::tokens_of(sql)) {
    if (token.kind != portable::Kind::parameter || token.lower != "$date") continue;
    const auto at = static_cast<size_t>(token.text.data() - sql.data());
    out += sql.substr(copied, at - copied);
    out += ":date";
    copied = at + token.text.size();
  }
  return out + std::string(sql.substr(copied));
}

std::string_view trimmed_sql(std::string_view sql) {
  while (!sql.empty() && std::string_view(" \t\r\n;").contains(sql.back())) sql.remove_suffix(1);
  return sql;
}

}  // namespace pinflow::notebook
