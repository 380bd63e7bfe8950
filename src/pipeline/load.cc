#include "pipeline/load.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/files.h"
#include "base/utf8.h"
#include "pipeline/definition.h"
#include "pipeline/names.h"

namespace pinflow::pipeline {
namespace {

constexpr const char* user_id_variable = "PINFLOW_USER_ID";

// The path under the folder that `node` names; empty where it is wrong, which is reported.
std::filesystem::path path_of(const YamlNode& node, const Context& context) {
  const std::filesystem::path relative = node.text;
  if (node.text.empty() || relative.is_absolute()) {
    context.problems.add(node.line, "'{}' is no path in the pipeline's folder; give one relative to it", node.text);
    return {};
  }
  std::error_code ignored;
  const auto path = context.folder / relative;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    context.problems.add(node.line, "the file {} does not exist; make it or mend the path", path.string());
    return {};
  }
  return path;
}

bool read_switch(MapReader& map, std::string_view key, bool otherwise, Problems& problems) {
  const YamlNode* node = map.find(key, YamlNode::Kind::scalar);
  if (node == nullptr) return otherwise;
  if (node->text == "drop") return true;
  if (node->text == "keep") return false;
  problems.add(node->line, "'{}' of {} is '{}'; it must be drop or keep", key, map.what(), node->text);
  return otherwise;
}

int64_t read_positive(MapReader& map, std::string_view key, int64_t otherwise, Problems& problems) {
  const YamlNode* node = map.find(key, YamlNode::Kind::scalar);
  if (node == nullptr) return otherwise;
  int64_t value = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [at, error] = std::from_chars(node->text.data(), end, value);
  if (error == std::errc{} && at == end && value > 0) return value;
  problems.add(node->line, "'{}' of {} is '{}'; it must be a whole number above 0", key, map.what(), node->text);
  return otherwise;
}

// The profile's overlay. All profiles are checked, also those not asked for.
Overlay read_profiles(const YamlNode* profiles, const std::string& wanted, int line, Problems& problems) {
  Overlay found;
  std::vector<std::string> names{"local"};
  bool there = wanted == "local";
  if (profiles != nullptr) {
    for (const auto& [name, node] : profiles->entries) {
      Overlay overlay = read_overlay(node, name, problems);
      if (name != "local") names.push_back(name);
      if (name != wanted) continue;
      found = std::move(overlay);
      there = true;
    }
    line = profiles->line;
  }
  if (!there) problems.add(line, "there is no profile '{}'; the profiles are {}", wanted, join(names));
  return found;
}

// The user_id that holds: the environment's, else the profile's, else the definition's.
std::string choose_user_id(const YamlNode* defined, const Overlay& overlay, Problems& problems) {
  if (const char* given = std::getenv(user_id_variable); given != nullptr && *given != '\0') {
    if (const auto wrong = user_id_fault(given)) {
      problems.add(defined == nullptr ? 1 : defined->line, "user_id, here taken from the environment's {}, {}",
                   user_id_variable, *wrong);
    }
    return given;
  }
  if (!overlay.user_id.empty()) return overlay.user_id;
  if (defined == nullptr) return "local";
  if (const auto wrong = user_id_fault(defined->text))
    problems.add(defined->line, "user_id '{}' {}", defined->text, *wrong);
  return defined->text;
}

}  // namespace

Sql read_sql(const YamlNode& node, Context& context) {
  const auto path = path_of(node, context);
  if (path.empty()) return {};
  auto text = read_file(path);
  if (!text) {
    context.problems.add(node.line, "{}", text.error().message);
    return {};
  }
  if (!is_utf8(*text)) context.problems.add(node.line, "{} is not UTF-8; save it in that encoding", path.string());
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    context.problems.add(node.line, "{} is empty; write its SQL", path.string());
  }
  return {path, std::move(*text)};
}

std::vector<Query> read_queries(const YamlNode& queries, Context& context) {
  std::vector<Query> found;
  for (size_t i = 0; i < queries.entries.size(); ++i) {
    const auto& [name, node] = queries.entries[i];
    if (const auto wrong = word_fault(name)) {
      context.problems.add(queries.key_lines[i], "the query '{}' {}", name, *wrong);
    }
    MapReader map(node, fmt::format("query '{}'", name), context.problems);
    Query query{.name = name, .title = map.text("title"), .sql = {}};
    if (const YamlNode* sql = map.need("sql", YamlNode::Kind::scalar)) query.sql = read_sql(*sql, context);
    map.finish();
    found.push_back(std::move(query));
  }
  return found;
}

std::map<std::string, Sql> read_preludes(const YamlNode& preludes, Context& context) {
  std::map<std::string, Sql> found;
  MapReader map(preludes, "'prelude'", context.problems);
  for (const char* engine : {"duckdb", "spark"}) {
    if (const YamlNode* sql = map.find(engine, YamlNode::Kind::scalar)) found[engine] = read_sql(*sql, context);
  }
  map.finish();
  return found;
}

Repeats read_repeats(const YamlNode& node, Problems& problems) {
  Repeats repeats;
  MapReader map(node, "'repeats'", problems);
  repeats.batch_drop = read_switch(map, "batch", repeats.batch_drop, problems);
  repeats.stream_drop = read_switch(map, "stream", repeats.stream_drop, problems);
  repeats.stream_rows = read_positive(map, "stream_rows", repeats.stream_rows, problems);
  repeats.stream_minutes = read_positive(map, "stream_minutes", repeats.stream_minutes, problems);
  map.finish();
  return repeats;
}

Overlay read_overlay(const YamlNode& profile, const std::string& name, Problems& problems) {
  Overlay overlay;
  MapReader map(profile, fmt::format("profile '{}'", name), problems);
  if (const YamlNode* id = map.find("user_id", YamlNode::Kind::scalar)) {
    overlay.user_id = id->text;
    if (const auto wrong = user_id_fault(id->text)) problems.add(id->line, "user_id '{}' {}", id->text, *wrong);
  }
  if (const YamlNode* node = map.find("names", YamlNode::Kind::map)) {
    MapReader names(*node, fmt::format("'names' of profile '{}'", name), problems);
    for (const char* kind : {"topic", "stream", "table", "stream_table"}) {
      const YamlNode* pattern = names.find(kind, YamlNode::Kind::scalar);
      if (pattern == nullptr) continue;
      overlay.names[kind] = {pattern->text, pattern->line};
      if (const auto filled = fill_pattern(pattern->text, {.id = "id", .record = "record"}); !filled) {
        problems.add(pattern->line, "{} of {}: {}", kind, names.what(), filled.error().message);
      }
    }
    names.finish();
  }
  if (const YamlNode* settings = map.find("settings", YamlNode::Kind::map)) {
    overlay.settings = read_settings(*settings, problems);
  }
  map.finish();
  return overlay;
}

Result<Pipeline> load(const std::filesystem::path& folder, const std::string& profile,
                      const std::set<std::string>& given) {
  const auto file = folder / "pipeline.yaml";
  const auto root = read_yaml(file);
  if (!root && root.error().code == Code::not_found) {
    return not_found("{}: there is no such file; name a pipeline's folder with --pipeline DIR", file.string());
  }
  if (!root) return pass(root.error());

  Problems problems(file.string());
  MapReader map(*root, "the pipeline", problems);
  Pipeline pipeline;
  pipeline.folder = folder;
  pipeline.id = map.text("id");
  if (!pipeline.id.empty()) {
    if (const auto wrong = word_fault(pipeline.id))
      problems.add(map.find("id")->line, "the id '{}' {}", pipeline.id, *wrong);
  }
  Overlay overlay = read_profiles(map.find("profiles", YamlNode::Kind::map), profile, map.line(), problems);
  pipeline.user_id = choose_user_id(map.find("user_id", YamlNode::Kind::scalar), overlay, problems);

  Context context{folder, pipeline.user_id, std::move(overlay), problems};
  if (const YamlNode* node = map.need("records", YamlNode::Kind::map)) pipeline.records = read_records(*node, context);
  if (const YamlNode* node = map.find("prelude", YamlNode::Kind::map))
    pipeline.preludes = read_preludes(*node, context);
  if (const YamlNode* node = map.find("repeats", YamlNode::Kind::map)) pipeline.repeats = read_repeats(*node, problems);
  if (const YamlNode* node = map.find("queries", YamlNode::Kind::map)) pipeline.queries = read_queries(*node, context);
  if (const YamlNode* node = map.find("checks", YamlNode::Kind::map)) pipeline.checks = read_checks(*node, context);
  if (const YamlNode* node = map.find("schedule", YamlNode::Kind::map))
    pipeline.schedule = read_schedule(*node, problems);
  if (const YamlNode* node = map.find("generator", YamlNode::Kind::scalar))
    pipeline.generator = path_of(*node, context);
  Settings settings;
  if (const YamlNode* node = map.find("settings", YamlNode::Kind::map)) settings = read_settings(*node, problems);
  fill_settings(std::move(settings), std::move(context.overlay.settings), given, pipeline, problems);
  map.finish();
  if (!problems.empty()) return std::unexpected(problems.error());
  return pipeline;
}

}  // namespace pinflow::pipeline
