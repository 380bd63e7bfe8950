// Answers and tables as a command prints them.
#pragma once

#include <string>

#include "app/options.h"
#include "sql/value.h"

namespace pinflow::app {

// Rows that a table of answers shows; the rest is counted, with the command that shows it.
inline constexpr size_t kShownRows = 8;

// A title, the table cut to kShownRows rows (0: whole), a blank line.
std::string titled(const std::string& name, const std::string& title, const sql::Table& table, size_t rows);

std::string in_format(const sql::Table& table, Format format);

}  // namespace pinflow::app
