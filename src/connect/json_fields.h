// Fields of a record that has passed the gate, by their names. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pinflow::connect {

struct Field {
  enum class Kind { null, boolean, number, string, other } kind = Kind::null;
  std::string text;  // a string unescaped; a number, true and false as they stand; an array or object as JSON
};

// "a.b" is the field b of the object a, unless the record has a field "a.b". Nothing where there is none.
std::optional<Field> find_field(std::string_view compact_json, std::string_view path);

// The JSON of a member of the outermost object; nothing where there is none, or the value is no object.
std::optional<std::string> find_member(std::string_view compact_json, std::string_view name);

}  // namespace pinflow::connect
