// Walks over JSON text (RFC 8259) without building anything, so that a part of it can be kept exactly as it was sent:
// duplicate names, numbers of any size, lone surrogate escapes and any depth pass. The text is known to be UTF-8. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::gateway {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  // The next byte after blanks; 0 at the end.
  char peek();
  // Takes the next byte after blanks when it is `c`.
  bool take(char c);
  // Takes one value of any kind and gives its text without the blanks around it.
  std::optional<std::string_view> value();
  // Takes a string and gives its text with the quotes.
  std::optional<std::string_view> string();
  // Nothing but blanks is left.
  bool at_end() { return peek() == 0 && at_ == end_; }
  // Where it stands, in bytes: after a failure, the place of it.
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }

 private:
  void skip_blanks();
  bool skip_string();
  bool skip_number();
  bool skip_word(std::string_view word);
  bool skip_scalar();
  bool skip_name();

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string open_;  // the brackets that are open, outermost first
};

// The characters of a JSON string's text (with its quotes). Nothing where a surrogate escape stands alone.
std::optional<std::string> unescaped(std::string_view json_string);

}  // namespace pinflow::gateway
