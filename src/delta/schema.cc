#include "delta/schema.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/bytes.h"
#include "base/json.h"

namespace pinflow::delta {
namespace {

namespace dom = simdjson::dom;

// Deeper types are refused: the reader calls itself.
constexpr int kMaxDepth = 64;

constexpr std::array kPrimitives = {
    std::string_view("string"), std::string_view("long"),   std::string_view("integer"),  std::string_view("short"),
    std::string_view("byte"),   std::string_view("double"), std::string_view("float"),    std::string_view("boolean"),
    std::string_view("binary"), std::string_view("date"),   std::string_view("timestamp")};

bool is_decimal(std::string_view type) {
  if (!type.starts_with("decimal(") || !type.ends_with(")")) return false;
  const std::string_view inside = type.substr(8, type.size() - 9);
  const size_t comma = inside.find(',');
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.size() <= 2 &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
  };
  return comma != std::string_view::npos && digits(inside.substr(0, comma)) && digits(inside.substr(comma + 1));
}

std::string folded(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

Result<> write_type(JsonWriter& json, std::string_view type) {
  if (const std::string_view element = element_of(type); !element.empty()) {
    json.begin_object().key("type").string("array").key("elementType");
    if (auto done = write_type(json, element); !done) return done;
    json.key("containsNull").boolean(true).end_object();
    return {};
  }
  if (std::ranges::find(kPrimitives, type) == kPrimitives.end() && !is_decimal(type)) {
    return invalid("'{}' is no type of a Delta table that can be written here", type);
  }
  json.string(type);
  return {};
}

Result<std::string_view> text_at(dom::element object, std::string_view key) {
  std::string_view text;
  if (object[key].get_string().get(text) != simdjson::SUCCESS) return corrupt("a schema without a text '{}'", key);
  return text;
}

Result<std::string> read_type(dom::element type, int depth) {
  if (depth > kMaxDepth) return corrupt("a schema nested deeper than {}", kMaxDepth);
  std::string_view word;
  if (type.get_string().get(word) == simdjson::SUCCESS) return std::string(word);
  const auto kind = text_at(type, "type");
  if (!kind) return pass(kind.error());
  const auto part = [&](const char* key) -> Result<std::string> {
    dom::element inner;
    if (type[key].get(inner) != simdjson::SUCCESS) return corrupt("a schema with an {} without '{}'", *kind, key);
    return read_type(inner, depth + 1);
  };
  if (*kind == "array") {
    const auto element = part("elementType");
    if (!element) return element;
    return fmt::format("array<{}>", *element);
  }
  if (*kind == "map") {
    const auto key = part("keyType");
    if (!key) return key;
    const auto value = part("valueType");
    if (!value) return value;
    return fmt::format("map<{},{}>", *key, *value);
  }
  if (*kind == "struct") {
    dom::array fields;
    if (type["fields"].get_array().get(fields) != simdjson::SUCCESS) return corrupt("a struct without 'fields'");
    std::string word_of_struct = "struct<";
    for (const dom::element field : fields) {
      const auto name = text_at(field, "name");
      if (!name) return pass(name.error());
      dom::element inner;
      if (field["type"].get(inner) != simdjson::SUCCESS) return corrupt("a field without 'type'");
      const auto inner_type = read_type(inner, depth + 1);
      if (!inner_type) return inner_type;
      fmt::format_to(std::back_inserter(word_of_struct), "{}{}:{}", word_of_struct.ends_with('<') ? "" : ",", *name,
                     *inner_type);
    }
    return word_of_struct + ">";
  }
  return std::string(*kind);  // variant and what else is written as an object
}

Result<Column> read_column(dom::element field) {
  const auto name = text_at(field, "name");
  if (!name) return pass(name.error());
  dom::element inner;
  if (field["type"].get(inner) != simdjson::SUCCESS) return corrupt("the column '{}' has no type", *name);
  auto type = read_type(inner, 0);
  if (!type) return pass(type.error(), "the column '{}'", *name);
  Column column{std::string(*name), std::move(*type)};
  if (bool nullable; field["nullable"].get_bool().get(nullable) == simdjson::SUCCESS) column.nullable = nullable;
  if (dom::object metadata; field["metadata"].get_object().get(metadata) == simdjson::SUCCESS) {
    column.metadata = simdjson::minify(metadata);
  }
  return column;
}

}  // namespace

Result<std::string> schema_to_json(const std::vector<Column>& columns) {
  std::set<std::string> names;
  JsonWriter json;
  json.begin_object().key("type").string("struct").key("fields").begin_array();
  for (const Column& column : columns) {
    if (!names.insert(folded(column.name)).second)
      return invalid("two columns are called '{}' (case does not count)", column.name);
    json.begin_object().key("name").string(column.name).key("type");
    if (auto done = write_type(json, column.type); !done) return pass(done.error(), "the column '{}'", column.name);
    json.key("nullable").boolean(column.nullable).key("metadata").raw(column.metadata).end_object();
  }
  json.end_array().end_object();
  return json.take();
}

Result<std::vector<Column>> schema_from_json(std::string_view json) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return corrupt("the schema is no JSON");
  const auto kind = text_at(root, "type");
  if (!kind) return pass(kind.error());
  dom::array fields;
  if (*kind != "struct" || root["fields"].get_array().get(fields) != simdjson::SUCCESS) {
    return corrupt("the schema is no struct with fields");
  }
  std::vector<Column> columns;
  for (const dom::element field : fields) {
    auto column = read_column(field);
    if (!column) return pass(column.error());
    columns.push_back(std::move(*column));
  }
  return columns;
}

std::string schema_difference(const std::vector<Column>& table, const std::vector<Column>& wanted) {
  const auto declared = [&](const std::string& name) { return std::ranges::find(wanted, name, &Column::name); };
  const auto known = [&](const Column& column) {
    return std::ranges::any_of(table, [&](const Column& have) { return folded(have.name) == folded(column.name); });
  };
  for (size_t i = 0; i < table.size(); ++i) {
    const Column& have = table[i];
    const auto want = declared(have.name);
    if (want == wanted.end()) {
      const std::string last = table.back().name;
      if (i < wanted.size() && !known(wanted[i])) {
        return fmt::format(
            "has the column '{}' ({}) where the pipeline declares '{}': a column cannot be renamed or removed; declare "
            "'{}' again, and new columns after '{}', or write to another table",
            have.name, have.type, wanted[i].name, have.name, last);
      }
      return fmt::format(
          "has a column '{}' ({}) that the pipeline does not declare: a column cannot be removed; declare it again, "
          "or write to another table",
          have.name, have.type);
    }
    if (have.type != want->type) {
      return fmt::format(
          "has '{}' as {}, not as {}: a column's type cannot be changed; declare {} again, with a new column of "
          "another name after the last one for {}, or write to another table",
          have.name, have.type, want->type, have.type, want->type);
    }
  }
  for (size_t i = 0; i < table.size(); ++i) {  // all are declared: are they in their places?
    if (wanted[i].name == table[i].name) continue;
    if (!known(wanted[i])) {
      return fmt::format(
          "has no column '{}', which the pipeline declares before '{}': a new column comes after the last one, '{}'",
          wanted[i].name, table[i].name, table.back().name);
    }
    return fmt::format(
        "has '{}' in the place where the pipeline declares '{}': the order of columns cannot be changed; declare them "
        "as the table has them",
        table[i].name, wanted[i].name);
  }
  for (size_t i = table.size(); i < wanted.size(); ++i) {
    if (known(wanted[i])) return fmt::format("has '{}' already, by another case of its letters", wanted[i].name);
    if (!wanted[i].nullable)
      return fmt::format("has no column '{}', and a new column must be nullable", wanted[i].name);
  }
  return {};
}

Result<std::string> widen_schema(std::string_view json, const std::vector<Column>& columns) {
  dom::parser parser;
  dom::element root;
  dom::array fields;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      root["fields"].get_array().get(fields) != simdjson::SUCCESS) {
    return corrupt("the schema is no struct with fields");
  }
  JsonWriter out;
  out.begin_object().key("type").string("struct").key("fields").begin_array();
  size_t count = 0;
  for (const dom::element field : fields) {
    out.raw(simdjson::minify(field));
    ++count;
  }
  for (size_t i = count; i < columns.size(); ++i) {
    out.begin_object().key("name").string(columns[i].name).key("type");
    if (auto done = write_type(out, columns[i].type); !done)
      return pass(done.error(), "the column '{}'", columns[i].name);
    out.key("nullable").boolean(true).key("metadata").raw(columns[i].metadata).end_object();
  }
  return out.end_array().end_object().take();
}

uint32_t schema_mark(const std::vector<Column>& columns) {
  std::string text;
  for (const Column& column : columns) text += json_string(column.name) + column.type + ",";
  return crc32c(text);
}

std::string_view element_of(std::string_view type) {
  if (!type.starts_with("array<") || !type.ends_with(">")) return {};
  return type.substr(6, type.size() - 7);
}

}  // namespace pinflow::delta
