#include "connect/json_fields.h"

#include <simdjson.h>

namespace pinflow::connect {
namespace {

namespace ondemand = simdjson::ondemand;

// simdjson reads some bytes behind the text.
ondemand::parser& parser() {
  thread_local ondemand::parser one;
  return one;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<Field> field_of(simdjson::simdjson_result<ondemand::value> found) {
  ondemand::value value;
  ondemand::json_type type;
  if (found.get(value) || value.type().get(type)) return std::nullopt;
  std::string_view text;
  switch (type) {
    case ondemand::json_type::null: return Field{};
    case ondemand::json_type::boolean: return Field{Field::Kind::boolean, trimmed(value.raw_json_token())};
    case ondemand::json_type::number: return Field{Field::Kind::number, trimmed(value.raw_json_token())};
    case ondemand::json_type::string:
      if (value.get_string().get(text)) return std::nullopt;
      return Field{Field::Kind::string, std::string(text)};
    default: break;
  }
  if (simdjson::to_json_string(value).get(text)) return std::nullopt;
  return Field{Field::Kind::other, trimmed(text)};
}

}  // namespace

std::optional<Field> find_field(std::string_view compact_json, std::string_view path) {
  const simdjson::padded_string padded(compact_json);
  {
    ondemand::document document;
    ondemand::object object;
    if (parser().iterate(padded).get(document) || document.get_object().get(object)) return std::nullopt;
    if (auto whole = field_of(object.find_field_unordered(path))) return whole;
  }
  if (!path.contains('.')) return std::nullopt;
  ondemand::document document;
  ondemand::object object;
  if (parser().iterate(padded).get(document) || document.get_object().get(object)) return std::nullopt;
  for (;;) {
    const size_t dot = path.find('.');
    if (dot == std::string_view::npos) return field_of(object.find_field_unordered(path));
    ondemand::object inner;
    if (object.find_field_unordered(path.substr(0, dot)).get_object().get(inner)) return std::nullopt;
    object = inner;
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::string> find_member(std::string_view compact_json, std::string_view name) {
  const simdjson::padded_string padded(compact_json);
  ondemand::document document;
  ondemand::object object;
  ondemand::value value;
  if (parser().iterate(padded).get(document) || document.get_object().get(object) ||
      object.find_field_unordered(name).get(value))
    return std::nullopt;
  ondemand::json_type type;
  if (value.type().get(type)) return std::nullopt;
  std::string_view text;
  if (type == ondemand::json_type::array || type == ondemand::json_type::object) {
    if (simdjson::to_json_string(value).get(text)) return std::nullopt;
  } else {
    text = value.raw_json_token();
  }
  return trimmed(text);
}

}  // namespace pinflow::connect
