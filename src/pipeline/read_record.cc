// The record types of a pipeline.
#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>
#include <set>

#include "pipeline/definition.h"
#include "pipeline/names.h"

namespace pinflow::pipeline {
namespace {

constexpr Type all_types[] = {Type::string,  Type::integer,   Type::long_,           Type::double_,
                              Type::boolean, Type::timestamp, Type::array_of_double, Type::array_of_string};
constexpr SourceType all_source_types[] = {SourceType::integer, SourceType::bigint, SourceType::float_,
                                           SourceType::double_, SourceType::text,   SourceType::datetime};

template <class T, size_t N>
std::optional<T> read_type(const YamlNode& node, const T (&all)[N], std::string_view column, Problems& problems) {
  std::vector<std::string> known;
  for (const T type : all) {
    if (node.is_scalar() && node.text == name_of(type)) return type;
    known.emplace_back(name_of(type));
  }
  if (!node.is_scalar()) {
    problems.add(node.line, "the type of the column '{}' must be a text, not {}", column, describe(node.kind));
  } else {
    problems.add(node.line, "the column '{}' has the type '{}', which does not exist; the types are {}", column,
                 node.text, join(known));
  }
  return {};
}

// Engines compare names without regard to case.
std::string folded(std::string_view name) {
  std::string small(name);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

// Names that must differ, each with the line where it was first given.
class Names {
 public:
  explicit Names(std::string what) : what_(std::move(what)) {}
  void add(const std::string& name, int line, Problems& problems) {
    if (name.empty()) return;
    const auto [found, fresh] = lines_.emplace(folded(name), line);
    if (!fresh) {
      problems.add(line, "the {} '{}' is given twice (first in line {}); rename one", what_, name, found->second);
    }
  }

 private:
  std::string what_;
  std::map<std::string, int> lines_;
};

struct AllNames {
  Names tables{"table"}, topics{"topic"}, streams{"stream"}, source_tables{"source table"};
};

class RecordReader {
 public:
  RecordReader(std::string name, const YamlNode& node, Context& context, AllNames& all)
      : context_(context),
        problems_(context.problems),
        all_(all),
        what_(fmt::format("record '{}'", name)),
        map_(node, what_, problems_) {
    record_.name = std::move(name);
  }

  RecordType read() {
    record_.topic = name("topic", topic_name_fault, all_.topics);
    read_partition_key();
    record_.stream = name("stream", stream_name_fault, all_.streams, record_.partition_key);
    read_from();
    record_.table = name("table", table_name_fault, all_.tables);
    record_.stream_table = name("stream_table", table_name_fault, all_.tables);
    if (const YamlNode* sql = map_.need("clean", YamlNode::Kind::scalar)) record_.cleaning = read_sql(*sql, context_);
    read_fields();
    read_source();
    read_columns();
    map_.finish();
    return std::move(record_);
  }

 private:
  std::string name(const char* key, const std::function<std::optional<std::string>(std::string_view)>& fault,
                   Names& others, const std::string& shared_by = {}) {
    Pattern pattern;
    const auto laid_over = context_.overlay.names.find(key);
    if (laid_over != context_.overlay.names.end()) {
      map_.find(key);
      pattern = laid_over->second;
    } else {
      pattern.text = map_.text(key);
      if (pattern.text.empty()) return "";
      pattern.line = map_.find(key)->line;
    }
    const auto filled = fill_pattern(pattern.text, {.id = context_.user_id, .record = record_.name});
    if (!filled) {
      problems_.add(pattern.line, "{} of {}: {}", key, what_, filled.error().message);
      return "";
    }
    if (const auto open = fill_pattern(pattern.text, {.id = "{id}", .record = record_.name}))
      record_.patterns[key] = *open;
    if (const auto wrong = fault(*filled)) {
      problems_.add(pattern.line, "the {} '{}' of {} {}", key, *filled, what_, *wrong);
      return "";
    }
    others.add(shared_by.empty() ? *filled : fmt::format("{} with the partition key {}", *filled, shared_by),
               pattern.line, problems_);
    return *filled;
  }

  // Of Kinesis' PutRecord: 1 to 256 characters.
  void read_partition_key() {
    const YamlNode* node = map_.find("partition_key", YamlNode::Kind::scalar);
    if (node == nullptr) return;
    if (node->text.empty() || node->text.size() > 256) {
      problems_.add(node->line, "the partition key of {} has {} bytes; it must have 1 to 256", what_,
                    node->text.size());
    }
    record_.partition_key = node->text;
  }

  void read_from() {
    const YamlNode* node = map_.find("from", YamlNode::Kind::scalar);
    if (node == nullptr) return;
    if (node->text != "kinesis" && node->text != "kafka") {
      problems_.add(node->line, "'from' of {} is '{}'; it must be kinesis (the stream) or kafka (the topic)", what_,
                    node->text);
    }
    record_.from_topic = node->text == "kafka";
  }

  void read_fields() {
    const YamlNode* list = map_.need("fields", YamlNode::Kind::list);
    if (list == nullptr) return;
    Names seen("field");
    for (auto& [field, line] : texts(*list, fmt::format("'fields' of {}", what_), problems_)) {
      check_column_name(field, line);
      if (folded(field) == "origin") {  // which record it is, in the cleaning's view
        problems_.add(line, "the field '{}' of {} has a name that the cleaning keeps for its own; leave it out", field,
                      what_);
      }
      seen.add(field, line, problems_);
      record_.fields.push_back(std::move(field));
    }
    if (list->items.empty())
      problems_.add(list->line, "'fields' of {} is empty; name the fields of the raw record", what_);
  }

  void read_source() {
    const YamlNode* node = map_.need("source", YamlNode::Kind::map);
    if (node == nullptr) return;
    MapReader source(*node, fmt::format("the source of {}", what_), problems_);
    record_.source_table = source.text("table");
    if (const YamlNode* table = source.find("table"); table != nullptr && !record_.source_table.empty()) {
      check_column_name(record_.source_table, table->line);
      all_.source_tables.add(record_.source_table, table->line, problems_);
    }
    record_.source_key = source.text("key");
    const int key_line = node->find("key") == nullptr ? node->line : node->find("key")->line;
    if (!record_.source_key.empty() && !is_field(record_.source_key)) {
      problems_.add(key_line, "the source key '{}' of {} is not among its fields{}", record_.source_key, what_,
                    suggestion(record_.source_key, record_.fields));
    }
    if (const YamlNode* columns = source.need("columns", YamlNode::Kind::map)) read_source_columns(*columns, key_line);
    source.finish();
  }

  void read_source_columns(const YamlNode& columns, int key_line) {
    Names seen("source column");
    bool key_found = false;
    for (size_t i = 0; i < columns.entries.size(); ++i) {
      const auto& [column, type_node] = columns.entries[i];
      const int line = columns.key_lines[i];
      seen.add(column, line, problems_);
      if (!is_field(column)) {
        problems_.add(line, "the source column '{}' of {} is not among its fields{}", column, what_,
                      suggestion(column, record_.fields));
      }
      const auto type = read_type(type_node, all_source_types, column, problems_);
      if (!type) continue;
      record_.source_columns.push_back({column, *type});
      if (column != record_.source_key) continue;
      key_found = true;
      if (*type != SourceType::integer && *type != SourceType::bigint) {
        problems_.add(type_node.line, "the source key '{}' of {} is a {}; it must be integer or bigint", column, what_,
                      name_of(*type));
      }
    }
    if (!key_found && !record_.source_key.empty() && columns.find(record_.source_key) == nullptr) {
      problems_.add(key_line, "the source key '{}' of {} is not among the source's columns; add it there",
                    record_.source_key, what_);
    }
  }

  void read_columns() {
    record_.key = map_.text("key");
    const YamlNode* columns = map_.need("columns", YamlNode::Kind::map);
    if (columns == nullptr) return;
    Names seen("column");
    std::vector<std::string> names;
    for (size_t i = 0; i < columns->entries.size(); ++i) {
      const auto& [column, type_node] = columns->entries[i];
      const int line = columns->key_lines[i];
      check_column_name(column, line);
      seen.add(column, line, problems_);
      if (folded(column) == "reason" || folded(column) == "origin" || folded(column).starts_with("count_")) {
        problems_.add(line, "the column '{}' of {} has a name that the cleaning keeps for its own columns; rename it",
                      column, what_);
      }
      names.push_back(column);
      if (const auto type = read_type(type_node, all_types, column, problems_))
        record_.columns.push_back({column, *type});
    }
    if (names.empty()) problems_.add(columns->line, "'columns' of {} is empty; name the columns of the table", what_);
    check_key(names);
  }

  void check_key(const std::vector<std::string>& names) {
    if (record_.key.empty()) return;
    const int line = map_.find("key")->line;
    if (std::find(names.begin(), names.end(), record_.key) == names.end()) {
      problems_.add(line, "the key '{}' of {} is not among its columns{}", record_.key, what_,
                    suggestion(record_.key, names));
    }
    for (const Column& column : record_.columns) {
      const bool fits = column.type == Type::string || column.type == Type::integer || column.type == Type::long_;
      if (column.name == record_.key && !fits) {
        problems_.add(line, "the key '{}' of {} is a {}; it must be string, integer or long", record_.key, what_,
                      name_of(column.type));
      }
    }
  }

  bool is_field(const std::string& name) const {
    return std::find(record_.fields.begin(), record_.fields.end(), name) != record_.fields.end();
  }

  void check_column_name(const std::string& name, int line) {
    if (const auto wrong = column_name_fault(name)) problems_.add(line, "the name '{}' in {} {}", name, what_, *wrong);
  }

  Context& context_;
  Problems& problems_;
  AllNames& all_;
  std::string what_;
  MapReader map_;
  RecordType record_;
};

}  // namespace

std::vector<RecordType> read_records(const YamlNode& records, Context& context) {
  std::vector<RecordType> found;
  AllNames all;
  for (size_t i = 0; i < records.entries.size(); ++i) {
    const auto& [name, node] = records.entries[i];
    if (const auto wrong = word_fault(name)) {
      context.problems.add(records.key_lines[i], "the record '{}' {}", name, *wrong);
    }
    found.push_back(RecordReader(name, node, context, all).read());
  }
  if (found.empty()) context.problems.add(records.line, "'records' is empty; a pipeline has at least one record type");
  return found;
}

}  // namespace pinflow::pipeline
