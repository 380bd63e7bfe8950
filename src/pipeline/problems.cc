#include "pipeline/problems.h"

#include <algorithm>
#include <numeric>

namespace pinflow::pipeline {
namespace {

// Levenshtein's distance: how many letters must be put in, taken out or changed.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

void Problems::add_text(int line, std::string what) {
  std::pair<int, std::string> problem{line, std::move(what)};
  if (std::find(found_.begin(), found_.end(), problem) == found_.end()) found_.push_back(std::move(problem));
}

Error Problems::error() const {
  auto sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (size_t i = 0; i < sorted.size() && i < max_shown; ++i) {
    if (i > 0) text += '\n';
    text += fmt::format("{}:{}: {}", file_, sorted[i].first, sorted[i].second);
  }
  if (sorted.size() > max_shown) text += fmt::format("\n… and {} more", sorted.size() - max_shown);
  return {Code::invalid, std::move(text)};
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::string* nearest = nullptr;
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t d = distance(name, candidate);
    if (d < least && d < candidate.size()) {
      least = d;
      nearest = &candidate;
    }
  }
  if (nearest != nullptr) return fmt::format("; did you mean '{}'?", *nearest);
  if (known.empty()) return "";
  return fmt::format("; known {} {}", known.size() == 1 ? "is" : "are", join(known));
}

MapReader::MapReader(const YamlNode& node, std::string what, Problems& problems)
    : node_(node), what_(std::move(what)), problems_(problems), is_map_(node.is_map()) {
  if (!is_map_) problems_.add(node.line, "{} must be a map (key: value), not {}", what_, describe(node.kind));
}

const YamlNode* MapReader::find(std::string_view key) {
  known_.emplace_back(key);
  return node_.find(key);
}

const YamlNode* MapReader::need(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr && is_map_) problems_.add(node_.line, "{} lacks the key '{}'; add it", what_, key);
  return node;
}

const YamlNode* MapReader::checked(const YamlNode* node, std::string_view key, YamlNode::Kind kind) {
  if (node == nullptr || node->kind == kind) return node;
  problems_.add(node->line, "'{}' of {} must be {}, not {}", key, what_, describe(kind), describe(node->kind));
  return nullptr;
}

const YamlNode* MapReader::find(std::string_view key, YamlNode::Kind kind) { return checked(find(key), key, kind); }
const YamlNode* MapReader::need(std::string_view key, YamlNode::Kind kind) { return checked(need(key), key, kind); }

std::string MapReader::text(std::string_view key) {
  const YamlNode* node = need(key, YamlNode::Kind::scalar);
  if (node == nullptr) return "";
  if (node->text.empty()) problems_.add(node->line, "'{}' of {} is empty; give it a value", key, what_);
  return node->text;
}

void MapReader::finish() {
  for (size_t i = 0; i < node_.entries.size() && is_map_; ++i) {
    const std::string& key = node_.entries[i].first;
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    problems_.add(node_.key_lines[i], "unknown key '{}' in {}{}", key, what_, suggestion(key, known_));
  }
}

std::vector<std::pair<std::string, int>> texts(const YamlNode& list, std::string_view what, Problems& problems) {
  std::vector<std::pair<std::string, int>> found;
  for (const YamlNode& item : list.items) {
    if (item.is_scalar() && !item.text.empty()) found.emplace_back(item.text, item.line);
    else problems.add(item.line, "each item of {} must be a text, not {}", what, describe(item.kind));
  }
  return found;
}

}  // namespace pinflow::pipeline
