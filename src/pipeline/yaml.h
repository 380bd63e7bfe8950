// YAML as plain values that know their lines, so that a mistake can be shown where it stands. Pure but for read_yaml.
// Stricter than the library: a key given twice is an error, and a file holds one document.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::pipeline {

struct YamlNode {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  int line = 0;                                           // from 1
  std::string text;                                       // scalar: as written, unquoted
  bool quoted = false;                                    // scalar: "…" or '…', which is always text
  std::vector<YamlNode> items;                            // list
  std::vector<std::pair<std::string, YamlNode>> entries;  // map, in the file's order; each key once
  std::vector<int> key_lines;                             // map: the line of each entry's key

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  const YamlNode* find(std::string_view key) const;  // null where it is no map or has no such key
};

// "a text", "a list", "a map", "empty": for "… must be a map, not a list".
std::string_view describe(YamlNode::Kind kind);

// At most max_yaml_bytes of text and max_yaml_nodes values (aliases copy theirs) nested at most max_yaml_depth deep.
inline constexpr size_t max_yaml_bytes = 16 << 20;
inline constexpr size_t max_yaml_nodes = 1'000'000;
inline constexpr int max_yaml_depth = 64;

// `file` is for errors: "FILE:LINE: what". An empty text is a null node.
Result<YamlNode> parse_yaml(std::string_view text, std::string_view file);
Result<YamlNode> read_yaml(const std::filesystem::path& file);

}  // namespace pinflow::pipeline
