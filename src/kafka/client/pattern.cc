#include "kafka/client/pattern.h"

#include <regex.h>

#include <array>

namespace pinflow::kafka {
namespace {

bool is_quantifier(char c) { return c == '*' || c == '+' || c == '?'; }

void append_literal(std::string& to, char c) {
  if (std::string_view(".[]{}()*+?^$|\\").find(c) != std::string_view::npos) to += '\\';
  to += c;
}

// What stands for a class outside and inside brackets.
std::string_view class_of(char letter) {
  switch (letter) {
    case 'd': return "0-9";
    case 'w': return "a-zA-Z0-9_";
    case 's': return " \t\n\r\f\v";
    default: return {};
  }
}

}  // namespace

Result<std::string> topic_pattern(std::string_view regex) {
  std::string out = "^(";
  bool in_brackets = false;
  for (size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    if (c == '\\') {
      if (++i == regex.size()) return invalid("topics pattern '{}': a backslash at its end", regex);
      const char next = regex[i];
      if (auto letters = class_of(next); !letters.empty()) {
        out += in_brackets ? std::string(letters) : "[" + std::string(letters) + "]";
      } else if (next == 'Q') {
        size_t end = regex.find("\\E", i + 1);
        if (end == std::string_view::npos) end = regex.size();
        for (char literal : regex.substr(i + 1, end - i - 1)) append_literal(out, literal);
        i = end + 1;
      } else if ((next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z')) {
        return invalid("topics pattern '{}': \\{} is not understood here", regex, next);
      } else if (in_brackets && next != '\\' && next != ']' && next != '-' && next != '^') {
        out += next;  // in brackets POSIX takes it as it is
      } else if (in_brackets) {
        return invalid("topics pattern '{}': \\{} within [ ] is not understood here", regex, next);
      } else {
        append_literal(out, next);
      }
      continue;
    }
    if (in_brackets) {
      in_brackets = c != ']';
      out += c;
      continue;
    }
    if (c == '[') {
      in_brackets = true;
      out += c;
      if (i + 1 < regex.size() && regex[i + 1] == '^') out += regex[++i];
      continue;
    }
    if (c == '(' && regex.substr(i + 1, 1) == "?") {
      if (regex.substr(i + 1, 2) != "?:") {
        return invalid("topics pattern '{}': groups that begin with (? are not understood here, but for (?:", regex);
      }
      out += '(';
      i += 2;
      continue;
    }
    const bool after_quantifier = i > 0 && (is_quantifier(regex[i - 1]) || regex[i - 1] == '}');
    if ((c == '?' || c == '+') && after_quantifier && (i < 2 || regex[i - 2] != '\\')) {
      return invalid("topics pattern '{}': lazy and possessive quantifiers are not understood here", regex);
    }
    out += c;
  }
  out += ")$";
  regex_t compiled;
  if (const int error = regcomp(&compiled, out.c_str(), REG_EXTENDED | REG_NOSUB); error != 0) {
    std::array<char, 128> reason;
    regerror(error, &compiled, reason.data(), reason.size());
    return invalid("topics pattern '{}': {}", regex, reason.data());
  }
  regfree(&compiled);
  return out;
}

}  // namespace pinflow::kafka
