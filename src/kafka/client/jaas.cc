#include "kafka/client/jaas.h"

#include <cctype>

namespace pinflow::kafka {
namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Jaas> parse() {
    Jaas jaas;
    const std::string name = bare();
    jaas.module = name.substr(name.rfind('.') + 1);
    skip();
    const std::string flag = bare();
    if (jaas.module.empty() ||
        (flag != "required" && flag != "requisite" && flag != "sufficient" && flag != "optional"))
      return invalid("it must begin with a login module's class and the word required");
    for (skip(); at_ < text_.size() && text_[at_] != ';'; skip()) {
      const std::string key = bare();
      skip();
      if (key.empty() || at_ == text_.size() || text_[at_] != '=')
        return invalid("after option {} comes something that is not name=\"value\"", jaas.options.size());
      ++at_;
      skip();
      auto value = quoted_or_bare();
      if (!value) return invalid("the value of {} has no closing quote", key);
      jaas.options[key] = std::move(*value);
    }
    if (at_ < text_.size()) ++at_;
    skip();
    if (at_ < text_.size()) return invalid("after the ';' comes something more; only one login module is taken");
    return jaas;
  }

 private:
  void skip() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  std::string bare() {
    skip();
    const size_t from = at_;
    while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '=' && text_[at_] != ';') ++at_;
    return std::string(text_.substr(from, at_ - from));
  }
  std::optional<std::string> quoted_or_bare() {
    if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) {
      const size_t from = at_;
      while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != ';') ++at_;
      return std::string(text_.substr(from, at_ - from));
    }
    const char quote = text_[at_++];
    std::string value;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::string> Jaas::get(const std::string& name) const {
  const auto found = options.find(name);
  if (found == options.end()) return std::nullopt;
  return found->second;
}

Result<Jaas> parse_jaas(std::string_view text) { return Parser(text).parse(); }

}  // namespace pinflow::kafka
