#include "pipeline/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>

#include "base/files.h"
#include "base/utf8.h"

namespace pinflow::pipeline {
namespace {

struct Mistake {
  int line;
  std::string what;
};

// Builds the tree from the parser's events; the first mistake is thrown, to stop the parser.
class Builder : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({.kind = YamlNode::Kind::null, .line = mark.line + 1}, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node{.kind = YamlNode::Kind::scalar, .line = mark.line + 1, .text = value, .quoted = tag == "!"};
    if (!node.quoted && (value == "~" || value == "null")) node = {.kind = YamlNode::Kind::null, .line = mark.line + 1};
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Mistake{mark.line + 1, "an alias of what is not complete yet"};
    YamlNode copy = found->second;
    count_nodes(copy);
    copy.line = mark.line + 1;
    add(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open({.kind = YamlNode::Kind::list, .line = mark.line + 1}, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open({.kind = YamlNode::Kind::map, .line = mark.line + 1}, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<YamlNode> key;  // of a map's entry whose value is still to come
  };

  void open(YamlNode node, YAML::anchor_t anchor) {
    if (static_cast<int>(open_.size()) >= max_yaml_depth) throw Mistake{node.line, "nested too deep"};
    open_.push_back({std::move(node), anchor, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void count_nodes(const YamlNode& node) {
    if (++nodes_ > max_yaml_nodes) throw Mistake{node.line, "too many values"};
    for (const YamlNode& item : node.items) count_nodes(item);
    for (const auto& [key, value] : node.entries) count_nodes(value);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    if (++nodes_ > max_yaml_nodes) throw Mistake{node.line, "too many values"};
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      if (!node.is_scalar()) throw Mistake{node.line, fmt::format("a key must be a text, not {}", describe(node.kind))};
      for (size_t i = 0; i < parent.node.entries.size(); ++i) {
        if (parent.node.entries[i].first == node.text) {
          throw Mistake{node.line, fmt::format("the key '{}' is given twice (first in line {}); take one of them out",
                                               node.text, parent.node.key_lines[i])};
        }
      }
      parent.key = std::move(node);
    } else {
      parent.node.key_lines.push_back(parent.key->line);
      if (node.kind == YamlNode::Kind::null) node.line = parent.key->line;  // the parser's is that of what comes next
      parent.node.entries.emplace_back(std::move(parent.key->text), std::move(node));
      parent.key.reset();
    }
  }

  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string_view describe(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null: return "empty";
    case YamlNode::Kind::scalar: return "a text";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a map";
  }
  std::abort();
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > max_yaml_bytes) return invalid("{}: longer than {} bytes; split it", file, max_yaml_bytes);
  if (!is_utf8(text)) return invalid("{}: not UTF-8; save it in that encoding", file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    if (!parser.HandleNextDocument(builder)) return YamlNode{.line = 1};
    YamlNode root = builder.take();
    Builder more;
    if (parser.HandleNextDocument(more)) return invalid("{}: holds more than one document; keep the first", file);
    return root;
  } catch (const Mistake& mistake) {
    return invalid("{}:{}: {}", file, mistake.line, mistake.what);
  } catch (const YAML::Exception& exception) {
    return invalid("{}:{}: not YAML: {}; mend the line or put the text in quotes", file, exception.mark.line + 1,
                   exception.msg);
  }
}

Result<YamlNode> read_yaml(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return pass(text.error());
  return parse_yaml(*text, file.string());
}

}  // namespace pinflow::pipeline
