// Reads one generator ("{kind: template, from: …}") of a profile. Internal to the room.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/problems.h"
#include "source/kinds.h"

namespace pinflow::source {

// Texts to choose from, each with its line; weights is empty where all are as likely.
struct Texts {
  std::vector<std::string> texts;
  std::vector<int> lines;
  std::vector<double> weights;
};

// What a generator may refer to, by name.
struct References {
  std::map<std::string, Texts> lists;
  std::map<std::string, std::shared_ptr<const std::vector<std::string>>> list_texts;  // the same, for templates
  std::map<std::string, size_t> chances;
  std::map<std::string, size_t> things;
  std::map<std::string, size_t> nodes;  // "pin.title", "hash"
};

inline constexpr int64_t max_skew = 16;
inline constexpr int64_t max_list_items = 1000;
inline constexpr int64_t max_hex_digits = 1'000'000;

// A list of texts, or a map of texts with their weights. Reported, and empty, where it is neither.
Texts read_texts(const pipeline::YamlNode& node, const std::string& what, pipeline::Problems& problems);

// A whole number of a map; `otherwise` where it is absent, or wrong, which is reported.
int64_t read_integer(pipeline::MapReader& map, std::string_view key, int64_t least, int64_t most, int64_t otherwise,
                     pipeline::Problems& problems);

// A share from 0 to 1.
double read_share(const pipeline::YamlNode& node, const std::string& what, pipeline::Problems& problems);

class MakerReader {
 public:
  // `scope` is the record whose columns may be named without it ("pin").
  MakerReader(const References& references, std::string scope, pipeline::Problems& problems)
      : references_(references), scope_(std::move(scope)), problems_(problems) {}

  // One value of the profile. `thing` becomes what `of` names, or stays.
  Maker read_node(const pipeline::YamlNode& node, const pipeline::SourceColumn& column, const std::string& what,
                  int& thing);

  // The nodes that what was read refers to, with the line.
  const std::vector<std::pair<size_t, int>>& used() const { return used_; }

 private:
  using Source = pipeline::MapReader;
  std::unique_ptr<Kind> read_kind(Source& map, const std::string& kind, int line);
  std::unique_ptr<Kind> read_choice(Source& map);
  std::unique_ptr<Kind> read_number(Source& map);
  std::unique_ptr<Kind> read_decimal(Source& map);
  std::unique_ptr<Kind> read_datetime(Source& map);
  std::unique_ptr<Kind> read_template(Source& map);
  std::unique_ptr<Kind> read_list(Source& map);
  std::unique_ptr<Kind> read_mix(Source& map);
  std::unique_ptr<Kind> read_thing(Source& map);

  Maker read(const pipeline::YamlNode& node, const std::string& what, int* thing);
  std::unique_ptr<Kind> constant(const pipeline::YamlNode& node, const std::string& what);
  void read_when(Source& map, const std::string& what, Maker& maker);
  void read_cut(Source& map, Maker& maker);
  Value value_of(const std::string& text, int line, const std::string& what);
  Picker picker_of(Source& map, const Texts& texts);
  Template parse_template(const std::string& text, int line);
  Template::Part parse_placeholder(const std::string& name, int line);
  void must_be(std::initializer_list<pipeline::SourceType> types, std::string_view kind, int line);

  const References& references_;
  std::string scope_;
  pipeline::Problems& problems_;
  pipeline::SourceColumn column_;
  std::vector<std::pair<size_t, int>> used_;
};

}  // namespace pinflow::source
