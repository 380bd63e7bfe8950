#include "source/maker_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace pinflow::source {
namespace {

using pipeline::MapReader;
using pipeline::Problems;
using pipeline::SourceType;
using pipeline::YamlNode;

template <class T>
bool parse_number(const std::string& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T>& named) {
  std::vector<std::string> names;
  for (const auto& [name, value] : named) names.push_back(name);
  return names;
}

const std::vector<std::string> kind_names{"choice", "datetime", "decimal",  "hex",   "list", "mix",
                                          "number", "sequence", "template", "thing", "uuid"};

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

Texts read_texts(const YamlNode& node, const std::string& what, Problems& problems) {
  Texts found;
  if (node.is_list()) {
    for (const YamlNode& item : node.items) {
      if (!item.is_scalar()) {
        problems.add(item.line, "each text of {} must be a text, not {}", what, describe(item.kind));
        continue;
      }
      found.texts.push_back(item.text);
      found.lines.push_back(item.line);
    }
  } else if (node.is_map()) {
    double total = 0;
    for (size_t i = 0; i < node.entries.size(); ++i) {
      double weight = -1;
      const auto& [text, weight_node] = node.entries[i];
      if (!weight_node.is_scalar() || !parse_number(weight_node.text, weight) || !(weight >= 0) || !(weight < 1e15)) {
        problems.add(node.key_lines[i], "the weight of '{}' in {} must be a number from 0 up", text, what);
        continue;
      }
      found.texts.push_back(text);
      found.lines.push_back(node.key_lines[i]);
      found.weights.push_back(weight);
      total += weight;
    }
    if (!found.texts.empty() && total <= 0) problems.add(node.line, "some weight of {} must be above 0", what);
  } else {
    problems.add(node.line, "{} must be a list of texts, or a map of texts with their weights", what);
    return found;
  }
  if (found.texts.empty()) problems.add(node.line, "{} is empty; give it at least one text", what);
  return found;
}

int64_t read_integer(MapReader& map, std::string_view key, int64_t least, int64_t most, int64_t otherwise,
                     Problems& problems) {
  const YamlNode* node = map.find(key, YamlNode::Kind::scalar);
  if (node == nullptr) return otherwise;
  int64_t number = 0;
  if (parse_number(node->text, number) && number >= least && number <= most) return number;
  problems.add(node->line, "'{}' of {} is '{}'; it must be a whole number from {} to {}", key, map.what(), node->text,
               least, most);
  return otherwise;
}

double read_share(const YamlNode& node, const std::string& what, Problems& problems) {
  double share = -1;
  if (node.is_scalar() && parse_number(node.text, share) && share >= 0 && share <= 1) return share;
  problems.add(node.line, "the share of {} must be a number from 0 to 1", what);
  return 0;
}

Maker MakerReader::read_node(const YamlNode& node, const pipeline::SourceColumn& column, const std::string& what,
                             int& thing) {
  column_ = column;
  return read(node, what, &thing);
}

Maker MakerReader::read(const YamlNode& node, const std::string& what, int* thing) {
  Maker maker;
  if (!node.is_map()) {
    maker.kind = constant(node, what);
    return maker;
  }
  MapReader map(node, what, problems_);
  const YamlNode* kind_node = map.need("kind", YamlNode::Kind::scalar);
  if (kind_node != nullptr) {
    if (thing != nullptr || kind_node->text == "thing") {
      if (const YamlNode* of = map.find("of", YamlNode::Kind::scalar)) {
        const auto found = references_.things.find(of->text);
        if (found == references_.things.end()) {
          problems_.add(of->line, "there is no thing '{}'{}", of->text,
                        pipeline::suggestion(of->text, names_of(references_.things)));
        } else if (thing != nullptr) {
          *thing = static_cast<int>(found->second);
        }
      }
    }
    maker.kind = read_kind(map, kind_node->text, kind_node->line);
    read_when(map, what, maker);
    read_cut(map, maker);
    map.finish();
  }
  if (!maker.kind) maker.kind = make_constant({});
  return maker;
}

std::unique_ptr<Kind> MakerReader::read_kind(MapReader& map, const std::string& kind, int line) {
  if (kind == "choice") return read_choice(map);
  if (kind == "number") return read_number(map);
  if (kind == "decimal") return read_decimal(map);
  if (kind == "datetime") return read_datetime(map);
  if (kind == "template") return read_template(map);
  if (kind == "list") return read_list(map);
  if (kind == "mix") return read_mix(map);
  if (kind == "thing") return read_thing(map);
  if (kind == "sequence") {
    must_be({SourceType::integer, SourceType::bigint}, kind, line);
    return make_sequence(read_integer(map, "start", INT64_MIN / 2, INT64_MAX / 2, 0, problems_));
  }
  if (kind == "uuid") {
    must_be({SourceType::text}, kind, line);
    return make_uuid();
  }
  if (kind == "hex") {
    must_be({SourceType::text}, kind, line);
    return make_hex(static_cast<size_t>(read_integer(map, "digits", 1, max_hex_digits, 32, problems_)));
  }
  problems_.add(
      line, "{} has the kind '{}', which does not exist{}; the kinds are {}", map.what(), kind,
      pipeline::suggestion(kind, kind_names).starts_with("; did") ? pipeline::suggestion(kind, kind_names) : "",
      pipeline::join(kind_names));
  return nullptr;
}

void MakerReader::must_be(std::initializer_list<SourceType> types, std::string_view kind, int line) {
  if (std::find(types.begin(), types.end(), column_.type) != types.end()) return;
  std::vector<std::string> names;
  for (const SourceType type : types) names.emplace_back(name_of(type));
  problems_.add(line, "the kind '{}' makes {}, but '{}' is {}; choose another kind", kind, pipeline::join(names),
                column_.name, name_of(column_.type));
}

Value MakerReader::value_of(const std::string& text, int line, const std::string& what) {
  Value value;
  int64_t integer = 0;
  double real = 0;
  switch (column_.type) {
    case SourceType::integer:
    case SourceType::bigint:
      if (parse_number(text, integer)) value.set(integer);
      else value.set(std::string_view(text));
      break;
    case SourceType::float_:
    case SourceType::double_:
      if (parse_number(text, real) && std::isfinite(real)) value.set(real);
      else value.set(std::string_view(text));
      break;
    case SourceType::text:
    case SourceType::datetime: value.set(std::string_view(text)); break;
  }
  if (const auto fits = fit(value, column_); !fits) {
    problems_.add(line, "{} is {}, but {}", what, name_of(column_.type), fits.error().message);
  }
  return value;
}

std::unique_ptr<Kind> MakerReader::constant(const YamlNode& node, const std::string& what) {
  if (node.is_scalar()) return make_constant(value_of(node.text, node.line, what));
  if (node.kind != YamlNode::Kind::null) {
    problems_.add(node.line, "{} must be a value or a map with a 'kind', not {}", what, describe(node.kind));
  }
  return make_constant({});
}

Picker MakerReader::picker_of(MapReader& map, const Texts& texts) {
  const auto skew = static_cast<int>(read_integer(map, "skew", 1, max_skew, 1, problems_));
  if (texts.weights.empty()) return Picker(std::max<size_t>(1, texts.texts.size()), skew);
  if (const YamlNode* node = map.find("skew")) {
    problems_.add(node->line, "'skew' of {} has no meaning beside weights; take one of them out", map.what());
  }
  return Picker(texts.weights);
}

std::unique_ptr<Kind> MakerReader::read_choice(MapReader& map) {
  const YamlNode* node = map.need("values");
  if (node == nullptr) return nullptr;
  Texts texts;
  if (node->is_scalar()) {
    const auto found = references_.lists.find(node->text);
    if (found == references_.lists.end()) {
      problems_.add(node->line, "there is no list '{}'{}", node->text,
                    pipeline::suggestion(node->text, names_of(references_.lists)));
      return nullptr;
    }
    texts = found->second;
  } else {
    texts = read_texts(*node, "'values' of " + map.what(), problems_);
  }
  Picker picker = picker_of(map, texts);
  std::vector<Value> values;
  for (size_t i = 0; i < texts.texts.size(); ++i)
    values.push_back(value_of(texts.texts[i], texts.lines[i], map.what()));
  if (values.empty()) return nullptr;
  return make_choice(std::move(values), std::move(picker));
}

std::unique_ptr<Kind> MakerReader::read_number(MapReader& map) {
  constexpr int64_t limit = int64_t{1} << 60;
  const int64_t from = read_integer(map, "from", -limit, limit, 0, problems_);
  map.need("to");
  const int64_t to = read_integer(map, "to", -limit, limit, from, problems_);
  const auto skew = static_cast<int>(read_integer(map, "skew", 1, max_skew, 1, problems_));
  const YamlNode* suffix = map.find("suffix", YamlNode::Kind::scalar);
  if (suffix != nullptr) must_be({SourceType::text}, "number with a suffix", suffix->line);
  if (column_.type == SourceType::datetime) must_be({SourceType::integer, SourceType::text}, "number", map.line());
  if (to < from) {
    problems_.add(map.line(), "'to' of {} is below 'from'", map.what());
    return nullptr;
  }
  if (column_.type == SourceType::integer && (from < INT32_MIN || to > INT32_MAX)) {
    problems_.add(map.line(), "{} does not fit in 32 bits; make the source column bigint", map.what());
  }
  return make_number(from, to, skew, suffix == nullptr ? "" : suffix->text, column_.type);
}

std::unique_ptr<Kind> MakerReader::read_decimal(MapReader& map) {
  must_be({SourceType::float_, SourceType::double_, SourceType::text}, "decimal", map.line());
  constexpr double limit = 1e12;
  int64_t ends[2] = {0, 0};
  for (const int i : {0, 1}) {
    const char* key = i == 0 ? "from" : "to";
    const YamlNode* node = map.need(key, YamlNode::Kind::scalar);
    if (node == nullptr) return nullptr;
    double number = 0;
    if (!parse_number(node->text, number) || !(std::fabs(number) <= limit)) {
      problems_.add(node->line, "'{}' of {} is '{}'; it must be a number from -1e12 to 1e12", key, map.what(),
                    node->text);
      return nullptr;
    }
    ends[i] = std::llround(number * 1e6);
  }
  const int most = column_.type == SourceType::float_ ? 6 : 15;
  const auto digits = static_cast<int>(read_integer(map, "digits", 1, most, 6, problems_));
  if (ends[1] < ends[0]) {
    problems_.add(map.line(), "'to' of {} is below 'from'", map.what());
    return nullptr;
  }
  return make_decimal(ends[0], ends[1], digits, column_.type);
}

std::unique_ptr<Kind> MakerReader::read_datetime(MapReader& map) {
  must_be({SourceType::datetime, SourceType::text}, "datetime", map.line());
  int64_t ends[2] = {0, 0};
  for (const int i : {0, 1}) {
    const char* key = i == 0 ? "from" : "to";
    const YamlNode* node = map.need(key, YamlNode::Kind::scalar);
    if (node == nullptr) return nullptr;
    const auto seconds = datetime_seconds(node->text);
    if (!seconds) {
      problems_.add(node->line, "'{}' of {} is '{}'; write it as 2020-08-28 03:52:47", key, map.what(), node->text);
      return nullptr;
    }
    ends[i] = *seconds;
  }
  if (ends[1] < ends[0]) {
    problems_.add(map.line(), "'to' of {} is before 'from'", map.what());
    return nullptr;
  }
  return make_datetime(ends[0], ends[1]);
}

std::unique_ptr<Kind> MakerReader::read_template(MapReader& map) {
  must_be({SourceType::text}, "template", map.line());
  const YamlNode* node = map.need("from");
  if (node == nullptr) return nullptr;
  Texts texts;
  if (node->is_scalar()) texts = {{node->text}, {node->line}, {}};
  else texts = read_texts(*node, "'from' of " + map.what(), problems_);
  Picker picker = picker_of(map, texts);
  std::vector<Template> templates;
  for (size_t i = 0; i < texts.texts.size(); ++i) templates.push_back(parse_template(texts.texts[i], texts.lines[i]));
  if (templates.empty()) return nullptr;
  return make_template(std::move(templates), std::move(picker));
}

std::unique_ptr<Kind> MakerReader::read_list(MapReader& map) {
  must_be({SourceType::text}, "list", map.line());
  const YamlNode* item = map.need("item");
  const YamlNode* separator = map.need("separator", YamlNode::Kind::scalar);
  const int64_t from = read_integer(map, "from", 0, max_list_items, 1, problems_);
  map.need("to");
  const int64_t to = read_integer(map, "to", 0, max_list_items, from, problems_);
  if (to < from) problems_.add(map.line(), "'to' of {} is below 'from'", map.what());
  if (item == nullptr || separator == nullptr || to < from) return nullptr;
  return make_list(read(*item, "'item' of " + map.what(), nullptr), from, to, separator->text);
}

std::unique_ptr<Kind> MakerReader::read_mix(MapReader& map) {
  const YamlNode* node = map.need("shares", YamlNode::Kind::list);
  if (node == nullptr) return nullptr;
  std::vector<Maker> makers;
  std::vector<double> shares;
  for (const YamlNode& item : node->items) {
    const std::string what = "an item of 'shares' of " + map.what();
    MapReader pair(item, what, problems_);
    const YamlNode* share = pair.need("share", YamlNode::Kind::scalar);
    const YamlNode* make = pair.need("make");
    pair.finish();
    if (share == nullptr || make == nullptr) continue;
    double weight = -1;
    if (!parse_number(share->text, weight) || !(weight > 0) || !(weight < 1e15)) {
      problems_.add(share->line, "'share' of {} must be a number above 0", what);
      continue;
    }
    makers.push_back(read(*make, what, nullptr));
    shares.push_back(weight);
  }
  if (node->items.empty()) problems_.add(node->line, "'shares' of {} is empty; give it at least one item", map.what());
  if (makers.empty()) return nullptr;
  return make_mix(std::move(makers), Picker(shares));
}

std::unique_ptr<Kind> MakerReader::read_thing(MapReader& map) {
  must_be({SourceType::integer, SourceType::bigint}, "thing", map.line());
  const YamlNode* of = map.need("of", YamlNode::Kind::scalar);
  const int64_t start = read_integer(map, "start", INT32_MIN, INT32_MAX, 0, problems_);
  if (of == nullptr || !references_.things.contains(of->text)) return nullptr;
  return make_thing_number(references_.things.at(of->text), start);
}

void MakerReader::read_when(MapReader& map, const std::string& what, Maker& maker) {
  const YamlNode* when = map.find("when", YamlNode::Kind::map);
  if (when == nullptr) return;
  for (size_t i = 0; i < when->entries.size(); ++i) {
    const auto& [chance, node] = when->entries[i];
    const auto found = references_.chances.find(chance);
    if (found == references_.chances.end()) {
      problems_.add(when->key_lines[i], "there is no chance '{}'{}", chance,
                    pipeline::suggestion(chance, names_of(references_.chances)));
      continue;
    }
    maker.when.emplace_back(found->second,
                            std::make_unique<Maker>(read(node, fmt::format("{}, when {}", what, chance), nullptr)));
  }
}

void MakerReader::read_cut(MapReader& map, Maker& maker) {
  const YamlNode* node = map.find("cut", YamlNode::Kind::map);
  if (node == nullptr) return;
  must_be({SourceType::text}, "cut", node->line);
  MapReader cut(*node, "'cut' of " + map.what(), problems_);
  cut.need("at");
  maker.cut.at = static_cast<size_t>(read_integer(cut, "at", 1, 1'000'000, 1, problems_));
  if (const YamlNode* then = cut.find("then", YamlNode::Kind::scalar)) maker.cut.then = then->text;
  maker.cut.then_length = characters(maker.cut.then);
  if (maker.cut.then_length > maker.cut.at) {
    problems_.add(node->line, "'then' of {} is longer than 'at'", cut.what());
    maker.cut = {};
  }
  cut.finish();
}

Template MakerReader::parse_template(const std::string& text, int line) {
  Template result;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) result.parts.push_back({.text = std::move(literal), .list = {}});
    literal.clear();
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const bool doubled = at + 1 < text.size() && text[at + 1] == text[at];
    if ((text[at] == '{' || text[at] == '}') && doubled) {
      literal += text[at++];
    } else if (text[at] == '{') {
      const size_t end = text.find('}', at);
      if (end == std::string::npos) {
        problems_.add(line, "a '{{' without its '}}' in the template '{}'; write {{{{ for a brace", text);
        return result;
      }
      end_literal();
      result.parts.push_back(parse_placeholder(text.substr(at + 1, end - at - 1), line));
      at = end;
    } else if (text[at] == '}') {
      problems_.add(line, "a '}}' without its '{{' in the template '{}'; write }}}} for a brace", text);
      return result;
    } else {
      literal += text[at];
    }
  }
  end_literal();
  return result;
}

Template::Part MakerReader::parse_placeholder(const std::string& placeholder, int line) {
  Template::Part part;
  std::string name = placeholder;
  bool sliced = false;
  if (const size_t bracket = placeholder.find('['); bracket != std::string::npos && placeholder.back() == ']') {
    name = placeholder.substr(0, bracket);
    const std::string slice = placeholder.substr(bracket + 1, placeholder.size() - bracket - 2);
    const size_t colon = slice.find(':');
    size_t end = 0;
    sliced = true;
    if (colon == std::string::npos || !parse_number(slice.substr(0, colon), part.from) ||
        !parse_number(slice.substr(colon + 1), end) || end < part.from) {
      problems_.add(line, "the slice in '{{{}}}' is none; write {{name[0:2]}} for the first two bytes", placeholder);
    } else {
      part.length = end - part.from;
    }
  }
  if (const auto list = references_.list_texts.find(name); list != references_.list_texts.end()) {
    if (sliced) problems_.add(line, "'{{{}}}' takes a slice of a list; only values have slices", placeholder);
    part.list = list->second;
    return part;
  }
  for (const std::string& full : {name, scope_ + "." + name}) {
    const auto node = references_.nodes.find(full);
    if (node == references_.nodes.end()) continue;
    part.node = static_cast<int>(node->second);
    used_.emplace_back(node->second, line);
    return part;
  }
  auto known = names_of(references_.list_texts);
  for (const std::string& node : names_of(references_.nodes)) known.push_back(node);
  problems_.add(line, "there is no list, value or column '{}'{}", name, pipeline::suggestion(name, known));
  return part;
}

}  // namespace pinflow::source
