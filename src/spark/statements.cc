#include "spark/statements.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/utf8.h"

namespace pinflow::spark {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Walks over a text, a token at a time: what it steps over is never cut.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  size_t position() const { return at_; }
  int line() const { return line_; }
  char here() const { return text_[at_]; }

  // Over blanks and comments.
  void skip_space() {
    while (!at_end()) {
      if (std::isspace(static_cast<unsigned char>(here())) != 0) step(1);
      else if (next_is("--")) to_line_end();
      else if (next_is("/*")) over_comment();
      else return;
    }
  }

  // Over one token: a quoted text, a word, or one character.
  void skip_token() {
    const char c = here();
    if (c == '\'' || c == '"') {
      over_quoted(c, true);
    } else if (c == '`') {
      over_quoted(c, false);
    } else if (next_is("$$")) {
      over("$$", 2);
    } else if ((c == 'r' || c == 'R') && at_ + 1 < text_.size() && (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"')) {
      step(1);
      over_quoted(here(), false);
    } else if (is_word(c)) {
      while (!at_end() && is_word(here())) step(1);
    } else {
      step(1);
    }
  }

  std::string_view from(size_t begin) const { return text_.substr(begin, at_ - begin); }

 private:
  bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void step(size_t count) {
    const size_t end = std::min(text_.size(), at_ + count);
    line_ += static_cast<int>(std::count(text_.begin() + at_, text_.begin() + end, '\n'));
    at_ = end;
  }

  void to_line_end() {
    // A backslash before the line's end lets the comment go on.
    while (!at_end() && here() != '\n') step(next_is("\\\n") ? 2 : 1);
  }

  void over_comment() {
    int depth = 0;
    do {
      if (next_is("/*")) ++depth;
      else if (next_is("*/")) --depth;
      step(next_is("/*") || next_is("*/") ? 2 : 1);
    } while (depth > 0 && !at_end());
  }

  void over(std::string_view end, size_t skip) {
    const size_t found = text_.find(end, at_ + skip);
    step(found == std::string_view::npos ? text_.size() : found + end.size() - at_);
  }

  void over_quoted(char quote, bool backslashes) {
    step(1);
    while (!at_end() && here() != quote) step(backslashes && here() == '\\' ? 2 : 1);
    step(1);
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

bool same_word(std::string_view a, std::string_view upper) {
  return std::ranges::equal(a, upper, [](char x, char y) { return std::toupper(static_cast<unsigned char>(x)) == y; });
}

std::string_view without_space_at_end(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// Byte position of a UTF-16 position; nothing beyond the end.
std::optional<size_t> byte_of(std::string_view text, int64_t utf16_index) {
  size_t at = 0;
  for (int64_t units = 0; units < utf16_index;) {
    if (at >= text.size()) return std::nullopt;
    const size_t length = std::max<size_t>(1, utf8_length(text.substr(at)));
    units += length == 4 ? 2 : 1;
    at += length;
  }
  return at;
}

}  // namespace

std::vector<Statement> split_statements(std::string_view sql) {
  std::vector<Statement> out;
  Walk walk(sql);
  for (walk.skip_space(); !walk.at_end(); walk.skip_space()) {
    const size_t begin = walk.position();
    const int line = walk.line();
    bool script = false;
    while (!walk.at_end() && (script || walk.here() != ';')) {
      const size_t token = walk.position();
      walk.skip_token();
      if (token == begin && same_word(walk.from(token), "BEGIN")) script = true;
      walk.skip_space();
    }
    const std::string_view text = without_space_at_end(walk.from(begin));
    if (!text.empty()) out.push_back({text, line});
    if (!walk.at_end()) walk.skip_token();
  }
  return out;
}

bool is_query(std::string_view statement) {
  const auto any_of = [](std::string_view word, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [word](std::string_view known) { return same_word(word, known); });
  };
  Walk walk(statement);
  int depth = 0;
  bool first = true;
  for (walk.skip_space(); !walk.at_end(); walk.skip_space()) {
    const size_t begin = walk.position();
    walk.skip_token();
    const std::string_view token = walk.from(begin);
    if (first && !any_of(token, {"SELECT", "WITH", "VALUES", "TABLE", "FROM", "("})) return false;
    first = false;
    if (token == "(") ++depth;
    if (token == ")") --depth;
    if (depth == 0 && any_of(token, {"INSERT", "UPDATE", "DELETE", "MERGE"})) return false;
  }
  return !first;
}

int line_of(std::string_view text, int64_t utf16_index) {
  const size_t end = byte_of(text, std::max<int64_t>(0, utf16_index)).value_or(text.size());
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + end, '\n'));
}

std::string_view part_of(std::string_view text, int64_t first, int64_t last) {
  if (first < 0 || last < first) return {};
  const auto begin = byte_of(text, first);
  const auto end = byte_of(text, last + 1);
  return begin && end ? text.substr(*begin, *end - *begin) : std::string_view{};
}

}  // namespace pinflow::spark
