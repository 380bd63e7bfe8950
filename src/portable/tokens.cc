#include "portable/tokens.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace pinflow::portable {
namespace {

bool blank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
bool digit(char byte) { return byte >= '0' && byte <= '9'; }
bool word_begins(char byte) {
  return std::isalpha(static_cast<unsigned char>(byte)) != 0 || byte == '_' || static_cast<unsigned char>(byte) >= 0x80;
}
bool of_a_word(char byte) { return word_begins(byte) || digit(byte); }

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return lower;
}

// The longest first. Those of one engine are here so that they are not taken for two of both.
constexpr std::array<std::string_view, 35> kOperators = {
    "!~~*", "!~~", "!~*", "->>", "<=>", "~~*", "~~~", "^@", "**", "//", "|>", "||", "::", ":=", "=>", "->", "==", "<=",
    ">=",   "<>",  "!=",  "<<",  ">>",  "@>",  "<@",  "&&", "!~", "~~", "~*", "..", "^",  "@",  "#",  "!",  "~"};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view sql) : sql_(sql) {}

  std::vector<Token> all() {
    while (skip_blanks()) read_one();
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }
  bool here(std::string_view text) const { return sql_.substr(at_).starts_with(text); }

  void step(size_t bytes) {
    for (const size_t end = std::min(at_ + bytes, sql_.size()); at_ < end; ++at_) {
      if (sql_[at_] == '\n') {
        ++line_;
        column_ = 1;
      } else if ((static_cast<unsigned char>(sql_[at_]) & 0xC0) != 0x80) {
        ++column_;
      }
    }
  }

  bool skip_blanks() {
    while (at_ < sql_.size() && blank(sql_[at_])) step(1);
    return at_ < sql_.size();
  }

  void take(Kind kind, size_t bytes) {
    Token& token = tokens_.emplace_back();
    token.kind = kind;
    token.text = sql_.substr(at_, bytes);
    token.line = line_;
    token.column = column_;
    if (kind == Kind::word || kind == Kind::parameter) token.lower = lowered(token.text);
    else if (kind == Kind::quoted_name || kind == Kind::double_quoted) token.lower = lowered(content_of(token));
    else token.lower = token.text;
    step(bytes);
  }

  void read_one() {
    const char first = peek();
    if (here("--")) return take(Kind::comment, std::min(sql_.find('\n', at_), sql_.size()) - at_);
    if (here("/*")) return read_comment();
    if (first == '\'') return read_quoted(Kind::text, 0);
    if (first == '"') return read_quoted(Kind::double_quoted, 0);
    if (first == '`') return read_quoted(Kind::quoted_name, 0);
    if (digit(first) || (first == '.' && digit(peek(1)))) return read_number();
    if (word_begins(first)) return read_word();
    if (first == '$') return read_dollar();
    if (first == '?') return take(Kind::parameter, 1);
    if (first == ':' && word_begins(peek(1))) return take(Kind::parameter, 1 + word_length(1));
    for (const std::string_view operation : kOperators) {
      if (here(operation)) return take(Kind::symbol, operation.size());
    }
    take(Kind::symbol, 1);
  }

  size_t word_length(size_t from) const {
    size_t length = 0;
    while (of_a_word(peek(from + length))) ++length;
    return length;
  }

  void read_word() {
    const size_t length = word_length(0);
    if (peek(length) == '\'' && length <= 2) return read_quoted(Kind::text, length);  // a prefix: e'…', u&'…' has its &
    take(Kind::word, length);
  }

  void read_quoted(Kind kind, size_t prefix) {
    const char quote = peek(prefix);
    for (size_t end = at_ + prefix + 1; end < sql_.size(); ++end) {
      if (sql_[end] != quote) continue;
      if (end + 1 < sql_.size() && sql_[end + 1] == quote) {
        ++end;  // doubled
        continue;
      }
      return take(kind, end + 1 - at_);
    }
    take(Kind::unfinished, sql_.size() - at_);
  }

  void read_comment() {
    size_t depth = 1, end = at_ + 2;
    for (; end < sql_.size() && depth > 0; ++end) {
      if (sql_.substr(end).starts_with("/*")) ++depth, ++end;
      else if (sql_.substr(end).starts_with("*/")) --depth, ++end;
    }
    take(depth == 0 ? Kind::comment : Kind::unfinished, end - at_);
  }

  void read_number() {
    size_t length = 0;
    while (digit(peek(length))) ++length;
    if (peek(length) == '.' && !(peek(length + 1) == '.')) {
      ++length;
      while (digit(peek(length))) ++length;
    }
    if ((peek(length) == 'e' || peek(length) == 'E') &&
        (digit(peek(length + 1)) ||
         ((peek(length + 1) == '+' || peek(length + 1) == '-') && digit(peek(length + 2))))) {
      length += 2;
      while (digit(peek(length))) ++length;
    }
    take(Kind::number, length + word_length(length));
  }

  void read_dollar() {
    const size_t name = word_length(1);
    if (peek(1 + name) == '$' && !(name > 0 && digit(peek(1)))) {  // $$ or $tag$
      const std::string_view mark = sql_.substr(at_, name + 2);
      const size_t close = sql_.find(mark, at_ + mark.size());
      if (close == std::string_view::npos) return take(Kind::unfinished, sql_.size() - at_);
      return take(Kind::dollar_text, close + mark.size() - at_);
    }
    take(name > 0 ? Kind::parameter : Kind::symbol, 1 + name);
  }

  std::string_view sql_;
  size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view sql) { return Tokenizer(sql).all(); }

std::string content_of(const Token& text) {
  std::string_view raw = text.text;
  const size_t open = raw.find_first_of("'\"`");
  if (open == std::string_view::npos || raw.size() < open + 2) return std::string(raw);
  const char quote = raw[open];
  raw = raw.substr(open + 1, raw.size() - open - 2);
  std::string content;
  for (size_t i = 0; i < raw.size(); ++i) {
    content += raw[i];
    if (raw[i] == quote && i + 1 < raw.size() && raw[i + 1] == quote) ++i;
  }
  return content;
}

}  // namespace pinflow::portable
