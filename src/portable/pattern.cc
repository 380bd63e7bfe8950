#include "portable/pattern.h"

#include <algorithm>

namespace pinflow::portable {
namespace {

struct Extent {
  size_t least = 0;
  size_t most = 0;
};

size_t plus(size_t a, size_t b) { return a == kEndless || b == kEndless ? kEndless : a + b; }
size_t times(size_t a, size_t b) {
  if (a == 0 || b == 0) return 0;
  return a == kEndless || b == kEndless ? kEndless : a * b;
}

class Reader {
 public:
  Reader(std::string_view text, Pattern& out) : text_(text), out_(out) {}

  void read() {
    const Extent all = alternatives();
    if (at_ < text_.size()) fault("a bracket in the pattern is closed but not opened", "a pattern whose brackets pair");
    out_.least = all.least;
    out_.most = all.most;
    out_.from_begin = text_.starts_with('^') && !top_level_choice_;
    out_.to_end = text_.ends_with('$') && last_was_end_ && !top_level_choice_;
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool here(std::string_view text) const { return text_.substr(at_).starts_with(text); }
  void fault(std::string what, std::string instead) { out_.faults.push_back({std::move(what), std::move(instead)}); }

  void letter(char byte) {
    if (static_cast<unsigned char>(byte) < 128) out_.letters.set(static_cast<unsigned char>(byte));
    else out_.any = true;
  }

  Extent alternatives() {
    Extent all = sequence();
    while (peek() == '|') {
      ++at_;
      if (depth_ == 0) top_level_choice_ = true;
      const Extent next = sequence();
      all.least = std::min(all.least, next.least);
      all.most = std::max(all.most, next.most);
    }
    return all;
  }

  Extent sequence() {
    Extent all;
    while (at_ < text_.size() && peek() != '|' && !(peek() == ')' && depth_ > 0)) {
      if (peek() == ')') return all;
      const Extent one = repeated(atom());
      all.least = plus(all.least, one.least);
      all.most = plus(all.most, one.most);
    }
    return all;
  }

  Extent atom() {
    const char first = peek();
    last_was_end_ = false;
    if (first == '(') return group();
    if (first == '[') return set();
    ++at_;
    if (first == '^') return {};
    if (first == '$') {
      last_was_end_ = out_.has_end = true;
      return {};
    }
    if (first == '.') {
      out_.any = true;
      fault("'.' in a pattern: it stops at a line feed only in DuckDB, in Spark also at \\r, U+0085, U+2028 and U+2029",
            "the characters that are meant, e.g. [0-9a-z]; [.] for a dot");
      return {1, 1};
    }
    if (first == '\\') {  // the text's rule names it; here it stands for one character of any kind
      out_.any = true;
      if (at_ < text_.size()) ++at_;
      return {1, 1};
    }
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80) ++at_;  // of one code point
    letter(first);
    return {1, 1};
  }

  Extent group() {
    ++at_;
    if (peek() == '?') {
      if (!here("?:")) {
        fault("'(?…' in a pattern (looking around, flags, names) is not the same in RE2 and in Java",
              "a plain group (…) or (?:…), and letters in both cases: [aA]");
        while (at_ < text_.size() && peek() != ')' && peek() != ':' && peek() != '>') ++at_;
      }
      if (peek() == '?') at_ += 2;
      else if (peek() == ':' || peek() == '>') ++at_;
    }
    ++depth_;
    const Extent inner = alternatives();
    --depth_;
    if (peek() == ')') ++at_;
    else fault("a bracket in the pattern is opened but not closed", "a pattern whose brackets pair");
    return inner;
  }

  Extent set() {
    ++at_;
    bool negated = false;
    if (peek() == '^') {
      negated = true;
      ++at_;
    }
    for (bool first = true; at_ < text_.size() && (peek() != ']' || first); first = false) {
      if (peek() == ']') {
        fault("']' as the first character of a set is read differently", "[…] without ']'");
      } else if (peek() == '[') {
        fault("'[' within a set is a character to RE2 and a set within the set to Java, also in [[:alpha:]]",
              "the characters that are meant: [A-Za-z]");
        out_.any = true;
      } else if (here("&&")) {
        fault("'&&' within a set means both to Java and two '&' to RE2", "one '&', or the characters that are meant");
      }
      const char from = peek();
      ++at_;
      if (from == '\\') {
        out_.any = true;
        if (at_ < text_.size()) ++at_;
        continue;
      }
      if (peek() == '-' && peek(1) != ']' && peek(1) != '\0') {
        const auto low = static_cast<unsigned char>(from), high = static_cast<unsigned char>(peek(1));
        for (int byte = low; byte <= high; ++byte) letter(static_cast<char>(byte));
        at_ += 2;
      } else {
        letter(from);
      }
    }
    if (peek() == ']') ++at_;
    else fault("a set in the pattern is opened but not closed", "[…] with both brackets");
    if (negated) out_.any = true;
    return {1, 1};
  }

  size_t number() {
    size_t value = 0;
    while (peek() >= '0' && peek() <= '9' && value < 100'000)
      value = value * 10 + static_cast<size_t>(text_[at_++] - '0');
    return value;
  }

  Extent repeated(Extent one) {
    Extent count{1, 1};
    if (peek() == '*') count = {0, kEndless};
    else if (peek() == '+') count = {1, kEndless};
    else if (peek() == '?') count = {0, 1};
    else if (peek() != '{') return one;
    if (peek() == '{') {
      ++at_;
      if (peek() < '0' || peek() > '9') {
        fault("'{' without a number before it is text to RE2 and an error to Java", "{0,2}, or [{] for a bracket");
        return one;
      }
      count.least = count.most = number();
      if (peek() == ',') {
        ++at_;
        count.most = peek() == '}' ? kEndless : number();
      }
    }
    ++at_;
    if (peek() == '?') ++at_;  // as few as possible: both know it
    if (peek() == '+') fault("a possessive '++', '*+' or '?+' is Java's only", "the repetition without the second '+'");
    if (peek() == '+') ++at_;
    return {times(one.least, count.least), times(one.most, count.most)};
  }

  std::string_view text_;
  Pattern& out_;
  size_t at_ = 0;
  int depth_ = 0;
  bool top_level_choice_ = false;
  bool last_was_end_ = false;
};

}  // namespace

bool Pattern::only(std::string_view allowed) const {
  std::bitset<128> known;
  for (const char byte : allowed) known.set(static_cast<unsigned char>(byte));
  return !any && (letters & ~known).none();
}

Pattern read_pattern(std::string_view text) {
  Pattern pattern;
  Reader(text, pattern).read();
  return pattern;
}

}  // namespace pinflow::portable
