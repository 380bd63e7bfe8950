// A file's SQL with its simple structure: brackets and CASE … END paired, calls and their arguments, the parts of each
// SELECT. No grammar: what the rules ask, and no more. Pure.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "portable/tokens.h"

namespace pinflow::portable {

inline constexpr size_t kNone = static_cast<size_t>(-1);

// Tokens [from, to).
struct Range {
  size_t from = 0;
  size_t to = 0;
  bool empty() const { return from >= to; }
  size_t size() const { return empty() ? 0 : to - from; }
};

// One item of a SELECT's list.
struct Item {
  Range expression;  // without the alias
  std::string name;  // its alias, or the column it is; lower case; empty: neither
};

struct Select {
  size_t at = 0;  // the word SELECT
  Range all;      // from SELECT to the end of its bracket or the next set operator
  std::vector<Item> items;
};

class Code {
 public:
  explicit Code(std::string_view sql);  // `sql` outlives it

  // Without comments.
  size_t size() const { return tokens_.size(); }
  const Token& operator[](size_t i) const { return tokens_[i]; }
  const std::vector<Token>& comments() const { return comments_; }

  size_t match(size_t i) const { return match_[i]; }  // the partner of a bracket, CASE or END; kNone: it has none
  size_t open(size_t i) const { return open_[i]; }    // the innermost bracket or CASE around i; kNone: there is none

  bool word(size_t i, std::string_view lower) const;
  bool any_word(size_t i, std::initializer_list<std::string_view> lower) const;
  bool symbol(size_t i, std::string_view text) const;
  bool name(size_t i) const;          // a word or a quoted name
  bool same(Range a, Range b) const;  // token by token, case of words apart

  // Whether i is the name of a function that is called here. Words of the grammar, types, names of tables are not.
  bool call(size_t i) const;
  std::vector<Range> arguments(size_t call) const;  // of call(i) or of anything else that a bracket follows
  // Whether i stands, directly or deeper, in the brackets of a call or cast of this name.
  bool within(size_t i, std::string_view function) const;
  // The tokens of a range that stand in none of its inner brackets or CASEs, by comma or by `words`.
  std::vector<Range> split(Range range, std::initializer_list<std::string_view> separators) const;

  const std::vector<Select>& selects() const { return selects_; }
  // What a name is said to be by `… AS name` anywhere in the file.
  std::vector<Range> meanings(std::string_view lower) const;
  bool is_common_table(std::string_view lower) const;  // WITH name AS (…)

 private:
  void pair();
  void find_selects();
  Item item_of(Range range) const;

  std::vector<Token> tokens_;
  std::vector<Token> comments_;
  std::vector<size_t> match_;
  std::vector<size_t> open_;
  std::vector<Select> selects_;
};

}  // namespace pinflow::portable
