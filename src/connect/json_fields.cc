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

std::optional<std::string> payload_of(std::string_view compact_json) {
  const simdjson::padded_string padded(compact_json);
  ondemand::document document;
  ondemand::object object;
  if (parser().iterate(padded).get(document) || document.get_object().get(object)) return std::nullopt;
  bool schema = false;
  std::optional<std::string> payload;
  for (auto field : object) {
    std::string_view name, text;
    ondemand::value value;
    ondemand::json_type type;
    if (field.unescaped_key().get(name)) return std::nullopt;
    const bool is_payload = name == "payload";
    if (!is_payload && name != "schema") return std::nullopt;
    if (field.value().get(value) || value.type().get(type)) return std::nullopt;
    if (!is_payload) {
      schema = true;
      continue;
    }
    if (type != ondemand::json_type::array && type != ondemand::json_type::object) text = value.raw_json_token();
    else if (simdjson::to_json_string(value).get(text)) return std::nullopt;
    payload = trimmed(text);
  }
  return schema ? payload : std::nullopt;
}

}  // namespace pinflow::connect
