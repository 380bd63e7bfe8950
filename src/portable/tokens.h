// SQL text as tokens: what the rules of this room look at. Pure. It reads as DuckDB does and remembers where Spark
// would read otherwise: a text in double quotes, a number with a suffix, a dollar-quoted text are kinds of their own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::portable {

enum class Kind {
  word,           // select, pin, year: a keyword or a name
  quoted_name,    // `a`
  double_quoted,  // "a": a name for DuckDB, a text for Spark
  text,           // 'a', with its prefix where one touches it: e'a', x'00'
  dollar_text,    // $$a$$, $tag$a$tag$: DuckDB's
  number,         // 1, 1.5, 1e3, also with letters or _ that touch it: 10L, 1_000
  parameter,      // $date, $1, ?, :name
  symbol,         // ( ) [ ] { } , . ; and operators, the longest that either engine knows
  comment,        // -- … or /* … */, nested
  unfinished,     // a text, name or comment without its end, up to the end of the file
};

struct Token {
  Kind kind = Kind::symbol;
  std::string_view text;  // as it stands, quotes included; it points into the SQL
  std::string lower;      // of a word: in lower case; of a quoted name: what it names, in lower case; else as it stands
  int line = 1;           // from 1
  int column = 1;         // from 1, in code points
};

// Every token in order, comments included; blanks are not. Any bytes are taken.
std::vector<Token> tokens_of(std::string_view sql);

// What a text token says, its quotes and doubled quotes resolved: 'it''s' is it's. No prefix, no backslash is resolved.
std::string content_of(const Token& text);

}  // namespace pinflow::portable
