#include "base/properties.h"

#include <algorithm>

#include "base/files.h"
#include "base/fill_in.h"

namespace pinflow {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool ends_line(char c) { return c == '\n' || c == '\r'; }

// One logical line: natural lines joined where they end in an odd number of backslashes, the blanks at the start of
// each dropped. Escapes are still in it.
struct Line {
  std::string text;
  int number = 0;
};

class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  // The next line that is neither blank nor a comment; false at the end.
  bool next(Line& line) {
    while (at_ < text_.size()) {
      line.number = number_;
      std::string_view natural = natural_line();
      if (natural.empty() || natural[0] == '#' || natural[0] == '!') continue;  // comments do not continue
      line.text.assign(natural);
      while (continues(line.text)) {
        line.text.pop_back();
        if (at_ >= text_.size()) break;
        line.text.append(natural_line());
      }
      if (!line.text.empty()) return true;
    }
    return false;
  }

 private:
  std::string_view natural_line() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    size_t begin = at_;
    while (at_ < text_.size() && !ends_line(text_[at_])) ++at_;
    std::string_view line = text_.substr(begin, at_ - begin);
    if (at_ < text_.size()) {
      if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
      ++at_;
      ++number_;
    }
    return line;
  }

  static bool continues(std::string_view line) {
    size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  std::string_view text_;
  size_t at_ = 0;
  int number_ = 1;
};

void append_utf8(std::string& to, uint32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xc0 | c >> 6);
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    to += static_cast<char>(0xe0 | c >> 12);
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    to += static_cast<char>(0xf0 | c >> 18);
    to += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  }
}

// The four hexadecimal digits after \u; nothing where they are not four.
std::optional<uint32_t> code_unit(std::string_view digits) {
  if (digits.size() < 4) return std::nullopt;
  uint32_t unit = 0;
  for (char c : digits.substr(0, 4)) {
    unit <<= 4;
    if (c >= '0' && c <= '9') unit |= static_cast<uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f') unit |= static_cast<uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') unit |= static_cast<uint32_t>(c - 'A' + 10);
    else return std::nullopt;
  }
  return unit;
}

// The text without its escapes, as UTF-8. A surrogate that has no partner becomes U+FFFD.
Result<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) break;  // a backslash at the very end of the file stands for nothing
    switch (text[i]) {
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 'f': out += '\f'; break;
      case 'u': {
        auto unit = code_unit(text.substr(i + 1));
        if (!unit) return invalid("\\u must be followed by four hexadecimal digits; write \\\\u for the letters \\u");
        i += 4;
        if (*unit >= 0xd800 && *unit < 0xdc00 && text.substr(i + 1, 2) == "\\u") {
          auto low = code_unit(text.substr(i + 3));
          if (low && *low >= 0xdc00 && *low < 0xe000) {
            unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
            i += 6;
          }
        }
        append_utf8(out, *unit >= 0xd800 && *unit < 0xe000 ? 0xfffd : *unit);
        break;
      }
      default: out += text[i];
    }
  }
  return out;
}

// Where the value begins: after the key, blanks, at most one '=' or ':', blanks.
void split(std::string_view line, std::string_view& key, std::string_view& value) {
  size_t i = 0;
  for (; i < line.size(); ++i) {
    if (line[i] == '\\') ++i;
    else if (line[i] == '=' || line[i] == ':' || is_blank(line[i])) break;
  }
  i = std::min(i, line.size());
  key = line.substr(0, i);
  while (i < line.size() && is_blank(line[i])) ++i;
  if (i < line.size() && (line[i] == '=' || line[i] == ':')) ++i;
  while (i < line.size() && is_blank(line[i])) ++i;
  value = line.substr(i);
}

}  // namespace

Result<Properties> Properties::parse(std::string_view text, std::string file) {
  Properties properties;
  properties.file_ = std::move(file);
  LineReader lines(text);
  Line line;
  while (lines.next(line)) {
    std::string_view raw_key, raw_value;
    split(line.text, raw_key, raw_value);
    auto key = unescape(raw_key);
    auto value = unescape(raw_value);
    if (!key) return pass(key.error(), "{}:{}", properties.file_, line.number);
    if (!value) return pass(value.error(), "{}:{}", properties.file_, line.number);
    if (auto left_over = placeholder(*value); !left_over.empty()) {
      return invalid("{}:{}: {} still holds the placeholder {}; put your own value in its place", properties.file_,
                     line.number, *key, left_over);
    }
    auto same = std::ranges::find(properties.all_, *key, &Property::key);
    if (same == properties.all_.end()) {
      properties.all_.push_back({std::move(*key), std::move(*value), line.number});
    } else {
      same->value = std::move(*value);
      same->line = line.number;
    }
  }
  return properties;
}

Result<Properties> Properties::read(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text) return pass(text.error());
  return parse(*text, file.string());
}

const Property* Properties::find(std::string_view key) const {
  auto found = std::ranges::find(all_, key, &Property::key);
  return found == all_.end() ? nullptr : &*found;
}

std::optional<std::string> Properties::get(std::string_view key) const {
  const Property* found = find(key);
  if (!found) return std::nullopt;
  return found->value;
}

}  // namespace pinflow
