// A text of SQL as Spark reads it: its statements, and where things stand in them. Pure.
// (Lexical rules: SqlBaseLexer.g4 of Apache Spark: 'x' and "x" with backslashes, r'x' without, `x`, $$x$$, -- to the
// end of the line, /* */ nested.)
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pinflow::spark {

struct Statement {
  std::string_view text;  // without the ';', from its first word on
  int first_line = 1;     // of the whole text, on which that word stands
};

// The statements of a text, separated by ';'. Those that hold nothing but blanks and comments are left out. A script
// (BEGIN … END) is one statement, to the text's end. What is left open (a quote, a comment) is Spark's to refuse.
std::vector<Statement> split_statements(std::string_view sql);

// Whether a statement is a query: SELECT, WITH, VALUES, TABLE, FROM or a parenthesis first, and no word outside of
// parentheses that writes. Where Spark is only asked about a text, it would run a command in it.
bool is_query(std::string_view statement);

// The line, from 1, of a position that Spark counts in UTF-16 units, from 0.
int line_of(std::string_view text, int64_t utf16_index);

// The part of the text between two such positions, both inclusive; empty where they lie outside of it.
std::string_view part_of(std::string_view text, int64_t first, int64_t last);

}  // namespace pinflow::spark
