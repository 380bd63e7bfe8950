// The parts of load(): each reads one part of pipeline.yaml into its struct and reports what is wrong with it.
// Internal to the room.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/pipeline.h"
#include "pipeline/problems.h"

namespace pinflow::pipeline {

// A name's pattern with the line that it stands in.
struct Pattern {
  std::string text;
  int line = 0;
};

// `settings` as they stand, with their lines: nothing is filled in yet.
struct Settings {
  std::map<std::string, Pattern> values;
  std::optional<std::vector<std::pair<std::string, Pattern>>> engine_paths;  // absent: not said
};

// What a profile lays over the definition.
struct Overlay {
  std::string user_id;
  std::map<std::string, Pattern> names;  // "topic", "stream", "table", "stream_table"
  Settings settings;
};

struct Context {
  std::filesystem::path folder;
  std::string user_id;
  Overlay overlay;
  Problems& problems;
};

std::vector<RecordType> read_records(const YamlNode& records, Context& context);
std::vector<Query> read_queries(const YamlNode& queries, Context& context);
std::map<std::string, Sql> read_preludes(const YamlNode& preludes, Context& context);
std::vector<Check> read_checks(const YamlNode& checks, Context& context);
Schedule read_schedule(const YamlNode& schedule, Problems& problems);
Repeats read_repeats(const YamlNode& repeats, Problems& problems);
Settings read_settings(const YamlNode& settings, Problems& problems);
// Lays `over` over `under` and gives both to the pipeline, with the environment's variables in their places. Reports
// each <PLACEHOLDER> that is left over, and each variable that is not set, but for the settings in `given`.
void fill_settings(Settings under, Settings over, const std::set<std::string>& given, Pipeline& to, Problems& problems);
Overlay read_overlay(const YamlNode& profile, const std::string& name, Problems& problems);

// The SQL file that `node` names, relative to the folder; a missing or empty one is reported in the node's line.
Sql read_sql(const YamlNode& node, Context& context);

}  // namespace pinflow::pipeline
