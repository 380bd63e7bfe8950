#include "source/profile.h"

#include <optional>

#include "base/json.h"
#include "source/maker_reader.h"

namespace pinflow::source {
namespace {

using pipeline::MapReader;
using pipeline::Problems;
using pipeline::YamlNode;

constexpr int64_t max_things = int64_t{1} << 48;

class ProfileReader {
 public:
  ProfileReader(const pipeline::Pipeline& pipeline, Problems& problems) : pipeline_(pipeline), problems_(problems) {}

  Profile read(const YamlNode& root) {
    MapReader map(root, "the generator profile", problems_);
    if (const YamlNode* lists = map.find("lists", YamlNode::Kind::map)) read_lists(*lists);
    if (const YamlNode* chances = map.find("chances", YamlNode::Kind::map)) read_chances(*chances);
    if (const YamlNode* things = map.find("things", YamlNode::Kind::map)) read_things(*things);
    const YamlNode* values = map.find("values", YamlNode::Kind::map);
    const YamlNode* records = map.need("records", YamlNode::Kind::map);
    map.finish();
    if (values != nullptr) name_values(*values);
    if (records != nullptr) name_columns(*records);
    read_nodes();
    put_in_order();
    return std::move(profile_);
  }

 private:
  struct Pending {
    const YamlNode* yaml;
    std::string scope;
    pipeline::SourceColumn column;
    std::vector<std::pair<size_t, int>> uses;
    int mark = 0;  // 1: being put in order, 2: done
  };

  void read_lists(const YamlNode& lists) {
    for (const auto& [name, node] : lists.entries) {
      Texts texts = read_texts(node, fmt::format("the list '{}'", name), problems_);
      if (texts.texts.empty()) texts = {{""}, {node.line}, {}};
      references_.list_texts[name] = std::make_shared<const std::vector<std::string>>(texts.texts);
      references_.lists[name] = std::move(texts);
    }
  }

  int earlier_chance(MapReader& map, std::string_view key) {
    const YamlNode* node = map.find(key, YamlNode::Kind::scalar);
    if (node == nullptr) return -1;
    const auto found = references_.chances.find(node->text);
    if (found != references_.chances.end()) return static_cast<int>(found->second);
    problems_.add(node->line, "'{}' of {} names '{}', which is no chance that stands above it", key, map.what(),
                  node->text);
    return -1;
  }

  void read_chances(const YamlNode& chances) {
    for (const auto& [name, node] : chances.entries) {
      const std::string what = fmt::format("the chance '{}'", name);
      Chance chance{.name = name, .id = hash_name("chance " + name)};
      if (node.is_map()) {
        MapReader map(node, what, problems_);
        if (const YamlNode* share = map.need("share"))
          chance.threshold = as_threshold(read_share(*share, what, problems_));
        chance.within = earlier_chance(map, "within");
        chance.unless = earlier_chance(map, "unless");
        map.finish();
      } else {
        chance.threshold = as_threshold(read_share(node, what, problems_));
      }
      references_.chances[name] = profile_.chances.size();
      profile_.chances.push_back(std::move(chance));
    }
  }

  void read_things(const YamlNode& things) {
    for (const auto& [name, node] : things.entries) {
      MapReader map(node, fmt::format("the thing '{}'", name), problems_);
      map.need("size");
      Thing thing{.name = name, .id = hash_name("thing " + name)};
      thing.size = static_cast<uint64_t>(read_integer(map, "size", 1, max_things, 1, problems_));
      thing.skew = static_cast<int>(read_integer(map, "skew", 1, max_skew, 1, problems_));
      map.finish();
      references_.things[name] = profile_.things.size();
      profile_.things.push_back(std::move(thing));
    }
  }

  size_t add_node(std::string name, const YamlNode& yaml, std::string scope, pipeline::SourceColumn column) {
    const size_t index = profile_.nodes.size();
    references_.nodes[name] = index;
    const uint64_t id = hash_name("value " + name);
    profile_.nodes.push_back({.name = std::move(name), .id = id});
    pending_.push_back({&yaml, std::move(scope), std::move(column), {}});
    return index;
  }

  void name_values(const YamlNode& values) {
    for (size_t i = 0; i < values.entries.size(); ++i) {
      const auto& [name, node] = values.entries[i];
      if (references_.lists.contains(name)) {
        problems_.add(values.key_lines[i], "the value '{}' has the name of a list; rename one", name);
      }
      add_node(name, node, "", {name, pipeline::SourceType::text});
    }
  }

  void name_columns(const YamlNode& records) {
    MapReader map(records, "'records'", problems_);
    for (const pipeline::RecordType& record : pipeline_.records) {
      std::vector<size_t> columns;
      std::vector<std::string> names;
      const YamlNode* node = map.need(record.name, YamlNode::Kind::map);
      if (node == nullptr) continue;
      MapReader fields(*node, fmt::format("record '{}'", record.name), problems_);
      for (const auto& column : record.source_columns) {
        names.push_back((names.empty() ? "{" : ",") + json_string(column.name) + ":");
        const YamlNode* yaml = fields.need(column.name);
        if (yaml != nullptr) columns.push_back(add_node(record.name + "." + column.name, *yaml, record.name, column));
      }
      fields.finish();
      profile_.columns.push_back(std::move(columns));
      profile_.names.push_back(std::move(names));
    }
    map.finish();
  }

  void read_nodes() {
    for (size_t i = 0; i < profile_.nodes.size(); ++i) {
      Node& node = profile_.nodes[i];
      MakerReader reader(references_, pending_[i].scope, problems_);
      node.maker = reader.read_node(*pending_[i].yaml, pending_[i].column, fmt::format("'{}'", node.name), node.thing);
      pending_[i].uses = reader.used();
    }
  }

  void put_in_order() {
    for (size_t i = 0; i < profile_.nodes.size(); ++i) visit(i);
  }

  void visit(size_t i) {
    if (pending_[i].mark == 2) return;
    pending_[i].mark = 1;
    for (const auto& [used, line] : pending_[i].uses) {
      if (pending_[used].mark == 1) {
        problems_.add(line, "'{}' uses '{}', which is made from it; break the circle", profile_.nodes[i].name,
                      profile_.nodes[used].name);
      } else {
        visit(used);
      }
    }
    pending_[i].mark = 2;
    profile_.order.push_back(i);
  }

  const pipeline::Pipeline& pipeline_;
  Problems& problems_;
  References references_;
  std::vector<Pending> pending_;  // by node
  Profile profile_;
};

}  // namespace

Result<Profile> read_profile(const std::filesystem::path& file, const pipeline::Pipeline& pipeline) {
  if (file.empty()) {
    return not_found("{}: names no generator profile; add `generator: FILE`",
                     (pipeline.folder / "pipeline.yaml").string());
  }
  const auto root = pipeline::read_yaml(file);
  if (!root) return pass(root.error());
  Problems problems(file.string());
  Profile profile = ProfileReader(pipeline, problems).read(*root);
  if (!problems.empty()) return std::unexpected(problems.error());
  return profile;
}

}  // namespace pinflow::source
