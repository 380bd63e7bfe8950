#include "kinesis/api/shape.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace pinflow::kinesis {
namespace {

constexpr size_t kMostErrors = 10;
constexpr size_t kMostShown = 1024;  // of a value, in a message

Refused wrong_type(std::string message) { return Refused({400, "SerializationException", std::move(message)}); }

std::string_view name_of(Type type) {
  switch (type) {
    case Type::text: return "String";
    case Type::integer: return "Integer";
    case Type::boolean: return "Boolean";
    case Type::timestamp: return "milliseconds since epoch";
    case Type::blob: return "Blob";
    default: return "";
  }
}

// The kind of value that stands there instead of what is meant.
Refused not_that(const Value& value, Type type) {
  if (value.kind == Value::Kind::list) return wrong_type("Start of list found where not expected");
  if (value.kind == Value::Kind::object) return wrong_type("Start of structure or map found where not expected.");
  if (type == Type::list) return wrong_type("Expected list or null");
  if (type == Type::map) return wrong_type("Expected map or null");
  if (type == Type::structure) return wrong_type("Expected null");
  std::string what = "class java.lang.String";
  if (value.kind == Value::Kind::boolean) what = "class java.lang.Boolean";
  if (value.kind == Value::Kind::number) what = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
  const bool vowel = type == Type::text || type == Type::integer || type == Type::boolean;
  if (type == Type::timestamp) return wrong_type(fmt::format("{} can not be converted to {}", what, name_of(type)));
  return wrong_type(fmt::format("{} can not be converted to {} {}", what, vowel ? "an" : "a", name_of(type)));
}

std::string why_no_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return fmt::format("Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.size());
  return "Invalid Base64 character";
}

Answer<> convert(Value& value, const Shape& shape);

Answer<> convert_members(Value& value, std::span<const Field> fields) {
  for (const Field& field : fields) {
    if (Value* member = value.find(field.name)) {
      if (auto done = convert(*member, *field.shape); !done) return done;
    }
  }
  return {};
}

Answer<> convert(Value& value, const Shape& shape) {
  using Kind = Value::Kind;
  switch (shape.type) {
    case Type::text:
      if (value.kind != Kind::text) return not_that(value, shape.type);
      return {};
    case Type::integer:
      if (value.kind != Kind::number) return not_that(value, shape.type);
      value.number = std::min(std::floor(value.number), 2147483647.0);
      return {};
    case Type::timestamp:
      if (value.kind != Kind::number) return not_that(value, shape.type);
      return {};
    case Type::boolean:
      if (value.kind != Kind::boolean) return not_that(value, shape.type);
      return {};
    case Type::blob:
      if (value.kind == Kind::bytes) return {};
      if (value.kind != Kind::text) return not_that(value, shape.type);
      if (!base64_decode(value.text, value.bytes)) {
        return wrong_type(fmt::format("'{}' can not be converted to a Blob: {}", value.text.substr(0, kMostShown),
                                      why_no_base64(value.text)));
      }
      value.kind = Kind::bytes;
      return {};
    case Type::list:
      if (value.kind != Kind::list) return not_that(value, shape.type);
      for (Value& item : value.items) {
        if (item.is_null()) continue;
        if (auto done = convert(item, *shape.item); !done) return done;
      }
      return {};
    case Type::map:
      if (value.kind != Kind::object) return not_that(value, shape.type);
      for (Value& item : value.items) {
        if (item.is_null()) continue;
        if (auto done = convert(item, *shape.item); !done) return done;
      }
      return {};
    case Type::structure:
      if (value.kind != Kind::object) return not_that(value, shape.type);
      return convert_members(value, shape.fields);
  }
  std::unreachable();
}

// A length as AWS counts it: characters of a text (UTF-16 units), bytes of a blob, elements of the others.
int64_t length_of(const Value& value) {
  if (value.kind == Value::Kind::bytes) return static_cast<int64_t>(value.bytes.size());
  if (value.kind != Value::Kind::text) return static_cast<int64_t>(value.items.size());
  int64_t units = 0;
  for (const char c : value.text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80 ? (byte >= 0xF0 ? 2 : 1) : 0;
  }
  return units;
}

std::string shown(const Value& value) {
  std::string text;
  switch (value.kind) {
    case Value::Kind::null: return "null";
    case Value::Kind::boolean: return value.boolean ? "true" : "false";
    case Value::Kind::number: return fmt::format("{}", value.number);
    case Value::Kind::text: return std::string(value.text.substr(0, kMostShown));
    case Value::Kind::bytes: return fmt::format("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", value.bytes.size());
    case Value::Kind::list:
      for (size_t i = 0; i < value.items.size() && text.size() < kMostShown; ++i) {
        if (i > 0) text += ", ";
        text += shown(value.items[i]);
      }
      return "[" + text + "]";
    case Value::Kind::object:
      for (size_t i = 0; i < value.items.size() && text.size() < kMostShown; ++i) {
        if (i > 0) text += ", ";
        text += fmt::format("{}={}", value.names[i], shown(value.items[i]));
      }
      return "{" + text + "}";
  }
  std::unreachable();
}

class Constraints {
 public:
  void check_members(const Value& value, std::span<const Field> fields, const std::string& place) {
    static const Value kNothing;
    for (const Field& field : fields) {
      std::string name = place + std::string(field.name);
      name[place.size()] = static_cast<char>(name[place.size()] | 0x20);  // the first letter, in the lower case
      const Value* member = value.find(field.name);
      if (member) check(*member, *field.shape, name);
      else if (field.required) broken(kNothing, name, "Member must not be null");
    }
  }

  Answer<> result() const {
    if (errors_.empty()) return {};
    std::string text = fmt::format("{} validation error{} detected: ", errors_.size(), errors_.size() > 1 ? "s" : "");
    for (size_t i = 0; i < errors_.size(); ++i) text += (i > 0 ? "; " : "") + errors_[i];
    return validation("{}", text);
  }

 private:
  void broken(const Value& value, const std::string& place, std::string_view constraint) {
    if (errors_.size() >= kMostErrors) return;
    const std::string text = value.is_null() ? "null" : "'" + shown(value) + "'";
    errors_.push_back(fmt::format("Value {} at '{}' failed to satisfy constraint: {}", text, place, constraint));
  }

  void check(const Value& value, const Shape& shape, const std::string& place) {
    if (shape.matches && !shape.matches(value.text)) {
      broken(value, place, fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern));
    }
    if (shape.type == Type::integer) {
      if (shape.least >= 0 && value.number < static_cast<double>(shape.least))
        broken(value, place, fmt::format("Member must have value greater than or equal to {}", shape.least));
      if (shape.most >= 0 && value.number > static_cast<double>(shape.most))
        broken(value, place, fmt::format("Member must have value less than or equal to {}", shape.most));
    } else if (shape.least >= 0 || shape.most >= 0) {
      const int64_t length = length_of(value);
      if (length < shape.least)
        broken(value, place, fmt::format("Member must have length greater than or equal to {}", shape.least));
      if (shape.most >= 0 && length > shape.most)
        broken(value, place, fmt::format("Member must have length less than or equal to {}", shape.most));
    }
    if (!shape.choices.empty() && std::ranges::find(shape.choices, value.text) == shape.choices.end()) {
      broken(value, place, fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.choices, ", ")));
    }
    if (shape.type == Type::structure) check_members(value, shape.fields, place + ".");
    if (shape.type == Type::list) check_list(value, *shape.item, place);
    if (shape.type == Type::map) check_map(value, shape, place);
  }

  void check_list(const Value& value, const Shape& item, const std::string& place) {
    for (size_t i = 0; i < value.items.size() && errors_.size() < kMostErrors; ++i) {
      if (item.type == Type::text && (item.least >= 0 || item.most >= 0)) {
        if (out_of_bounds(value.items[i], item)) return broken(value, place, bounds("Member", item));
        continue;
      }
      const std::string member = fmt::format("{}.{}.member", place, i + 1);
      if (value.items[i].is_null()) broken(value.items[i], member, "Member must not be null");
      else if (item.type == Type::structure) check_members(value.items[i], item.fields, member + ".");
      else check(value.items[i], item, member);
    }
  }

  void check_map(const Value& value, const Shape& shape, const std::string& place) {
    for (size_t i = 0; i < value.items.size(); ++i) {
      Value name;
      name.kind = Value::Kind::text;
      name.text = value.names[i];
      if (out_of_bounds(name, *shape.key)) return broken(value, place, bounds("Map keys", *shape.key));
    }
    for (const Value& item : value.items) {
      if (out_of_bounds(item, *shape.item)) return broken(value, place, bounds("Map value", *shape.item));
    }
  }

  static bool out_of_bounds(const Value& value, const Shape& shape) {
    const int64_t length = value.is_null() ? 0 : length_of(value);
    return length < shape.least || (shape.most >= 0 && length > shape.most);
  }
  static std::string bounds(std::string_view what, const Shape& shape) {
    return fmt::format(
        "{} must satisfy constraint: [Member must have length less than or equal to {}, Member must have "
        "length greater than or equal to {}]",
        what, shape.most, std::max<int64_t>(shape.least, 0));
  }

  std::vector<std::string> errors_;
};

}  // namespace

Answer<> check(Value& request, std::span<const Field> fields) {
  if (auto converted = convert_members(request, fields); !converted) return converted;
  Constraints constraints;
  constraints.check_members(request, fields, "");
  return constraints.result();
}

}  // namespace pinflow::kinesis
