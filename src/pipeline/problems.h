// What is wrong with a file of a pipeline folder, collected so that several mistakes are shown at once. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/yaml.h"

namespace pinflow::pipeline {

class Problems {
 public:
  static constexpr size_t max_shown = 20;

  explicit Problems(std::string file) : file_(std::move(file)) {}

  template <class... A>
  void add(int line, fmt::format_string<A...> format, A&&... args) {
    add_text(line, fmt::format(format, std::forward<A>(args)...));
  }
  bool empty() const { return found_.empty(); }
  const std::string& file() const { return file_; }

  // "FILE:LINE: what; what to do", one line a problem, in the order of the file. There is at least one.
  Error error() const;

 private:
  void add_text(int line, std::string what);

  std::string file_;
  std::vector<std::pair<int, std::string>> found_;
};

// "; did you mean 'x'?" with the known name that is nearest to `name`, or "; known are a, b, c" where none is near.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

std::string join(const std::vector<std::string>& names);  // "a, b, c"

// Takes the keys of one map, each once; finish() reports those that nobody took. Each getter reports a missing key
// (where it is needed) or a value of the wrong kind, and then returns nothing. `what` is for errors: "record 'pin'".
class MapReader {
 public:
  // A node that is no map is reported, and reads as an empty one.
  MapReader(const YamlNode& node, std::string what, Problems& problems);

  const YamlNode* find(std::string_view key);                  // any kind; null where absent
  const YamlNode* need(std::string_view key);                  // reported where absent
  const YamlNode* find(std::string_view key, YamlNode::Kind);  // reported where of another kind
  const YamlNode* need(std::string_view key, YamlNode::Kind);
  std::string text(std::string_view key);  // a needed scalar that is not empty; else "" and reported
  void finish();

  int line() const { return node_.line; }
  const std::string& what() const { return what_; }

 private:
  const YamlNode* checked(const YamlNode* node, std::string_view key, YamlNode::Kind kind);

  const YamlNode& node_;
  std::string what_;
  Problems& problems_;
  std::vector<std::string> known_;
  bool is_map_;
};

// The scalars of a list node, with their lines; others are reported.
std::vector<std::pair<std::string, int>> texts(const YamlNode& list, std::string_view what, Problems& problems);

}  // namespace pinflow::pipeline
