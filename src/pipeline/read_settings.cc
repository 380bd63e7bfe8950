#include <algorithm>
#include <charconv>

#include "base/fill_in.h"
#include "pipeline/definition.h"

namespace pinflow::pipeline {
namespace {

// Every setting there is; docs/pipeline.md says what each means.
const std::vector<std::string> known_settings{
    "gateway.listen", "broker.listen",  "kinesis.listen",   "web.listen",       "lake",         "source",
    "command.config", "engine",         "bootstrap.server", "kinesis.endpoint", "kinesis.keys", "kinesis.shard_limits",
    "kinesis.region", "s3.endpoint",    "s3.region",        "s3.path_style",    "aws.profile",  "engine.token",
    "engine.ca",      "stream.trigger", "stream.lease",
};
constexpr const char* engine_paths_key = "engine.paths";

std::vector<std::string> all_names() {
  auto names = known_settings;
  names.emplace_back(engine_paths_key);
  return names;
}

// HOST:PORT with a port from 0, which is any free one, to 65535. Whether the host exists is seen when it is listened
// on.
bool is_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (text.substr(0, colon).find_first_of(" \t\r\n/") != std::string_view::npos) return false;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + colon + 1, end, port);
  return error == std::errc{} && at == end;
}

std::vector<std::pair<std::string, Pattern>> read_engine_paths(const YamlNode& node, int line, Problems& problems) {
  std::vector<std::pair<std::string, Pattern>> paths;
  if (!node.is_map()) {
    problems.add(line, "the setting '{}' must be a map of paths (s3://bucket/: s3a://bucket/), not {}",
                 engine_paths_key, describe(node.kind));
    return paths;
  }
  for (size_t i = 0; i < node.entries.size(); ++i) {
    const auto& [from, to] = node.entries[i];
    if (from.empty() || !to.is_scalar() || to.text.empty()) {
      problems.add(node.key_lines[i], "'{}' in '{}' needs the engine's path as a text", from, engine_paths_key);
    } else {
      paths.emplace_back(from, Pattern{to.text, to.line});
    }
  }
  return paths;
}

// The value with its variables; empty where something is missing, which is reported.
std::string filled(std::string_view name, const Pattern& value, Problems& problems) {
  if (const auto left_over = placeholder(value.text); !left_over.empty()) {
    problems.add(value.line, "the setting '{}' still holds the placeholder {}; put your own value in its place", name,
                 left_over);
    return {};
  }
  auto text = with_environment(value.text);
  if (!text) {
    problems.add(value.line, "the setting '{}': {}", name, text.error().message);
    return {};
  }
  return std::move(*text);
}

bool can_be_filled(const Pattern& value) {
  return placeholder(value.text).empty() && with_environment(value.text).has_value();
}

// Whether it only says more of something that the command line gives.
bool is_moot(std::string_view name, const std::set<std::string>& given) {
  return (name.starts_with("s3.") && given.contains("lake")) ||
         (name == "kinesis.region" && given.contains("kinesis.endpoint")) ||
         (name.starts_with("engine.") && given.contains("engine"));
}

}  // namespace

Settings read_settings(const YamlNode& node, Problems& problems) {
  Settings settings;
  for (size_t i = 0; i < node.entries.size(); ++i) {
    const auto& [name, value] = node.entries[i];
    if (name == engine_paths_key) {
      settings.engine_paths = read_engine_paths(value, node.key_lines[i], problems);
    } else if (std::find(known_settings.begin(), known_settings.end(), name) == known_settings.end()) {
      problems.add(node.key_lines[i], "unknown setting '{}'{}", name, suggestion(name, all_names()));
    } else if (!value.is_scalar()) {
      problems.add(node.key_lines[i], "the setting '{}' must be a text, not {}", name, describe(value.kind));
    } else if (name.ends_with(".listen") && !is_address(value.text)) {
      problems.add(value.line, "the setting '{}' is '{}'; it must be HOST:PORT with a port from 0 to 65535", name,
                   value.text);
    } else {
      settings.values[name] = {value.text, value.line};
    }
  }
  return settings;
}

void fill_settings(Settings under, Settings over, const std::set<std::string>& given, Pipeline& to,
                   Problems& problems) {
  for (auto& [name, value] : over.values) under.values[name] = std::move(value);
  for (const auto& [name, value] : under.values) {
    if (given.contains(name) || (is_moot(name, given) && !can_be_filled(value))) continue;
    to.settings[name] = filled(name, value, problems);
  }
  auto& paths = over.engine_paths ? over.engine_paths : under.engine_paths;
  if (!paths) return;
  for (const auto& [from, path] : *paths) {
    // Of another lake, which may lie elsewhere: what cannot be filled in is not needed.
    if (given.contains("lake") && !(can_be_filled({from, path.line}) && can_be_filled(path))) continue;
    to.engine_paths.emplace_back(filled(engine_paths_key, {from, path.line}, problems),
                                 filled(engine_paths_key, path, problems));
  }
  std::ranges::stable_sort(to.engine_paths,
                           [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

}  // namespace pinflow::pipeline
