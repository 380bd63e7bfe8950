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

// The JSON behind "payload" of {"schema":…,"payload":…}; nothing where it is no object, or has not these two alone.
std::optional<std::string> payload_of(std::string_view compact_json);

}  // namespace pinflow::connect
