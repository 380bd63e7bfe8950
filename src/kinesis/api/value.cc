#include "kinesis/api/value.h"

#include <simdjson.h>

#include <algorithm>

namespace pinflow::kinesis {
namespace {

constexpr size_t kMaxDepth = 32;

// `left`: how many values may come yet; below 0 nothing more is taken, and all of it is to be thrown away.
Value value_of(simdjson::dom::element element, int64_t& left) {
  Value value;
  if (--left < 0) return value;
  std::string_view text;
  double number = 0;
  bool boolean = false;
  simdjson::dom::array list;
  simdjson::dom::object object;
  if (!element.get(text)) {
    value.kind = Value::Kind::text;
    value.text = text;
  } else if (!element.get(number)) {
    value.kind = Value::Kind::number;
    value.number = number;
  } else if (!element.get(object)) {
    value.kind = Value::Kind::object;
    value.items.reserve(std::min(object.size(), static_cast<size_t>(left)));
    for (const auto& [name, member] : object) {
      value.names.push_back(name);
      value.items.push_back(value_of(member, left));
      if (left < 0) return value;
    }
  } else if (!element.get(list)) {
    value.kind = Value::Kind::list;
    value.items.reserve(std::min(list.size(), static_cast<size_t>(left)));
    for (const simdjson::dom::element item : list) {
      value.items.push_back(value_of(item, left));
      if (left < 0) return value;
    }
  } else if (!element.get(boolean)) {
    value.kind = Value::Kind::boolean;
    value.boolean = boolean;
  }
  return value;
}

}  // namespace

const Value* Value::find(std::string_view name) const {
  if (kind != Kind::object) return nullptr;
  // Of a member given twice the last counts, as in most JSON readers.
  const auto at = std::find(names.rbegin(), names.rend(), name);
  if (at == names.rend()) return nullptr;
  const Value& found = items[static_cast<size_t>(names.rend() - at) - 1];
  return found.is_null() ? nullptr : &found;
}

Value* Value::find(std::string_view name) { return const_cast<Value*>(std::as_const(*this).find(name)); }

std::optional<std::string_view> Value::text_of(std::string_view name) const {
  const Value* found = find(name);
  return found ? std::optional(found->text) : std::nullopt;
}

std::optional<double> Value::number_of(std::string_view name) const {
  const Value* found = find(name);
  return found ? std::optional(found->number) : std::nullopt;
}

bool Value::flag(std::string_view name) const {
  const Value* found = find(name);
  return found && found->boolean;
}

std::optional<Document> parse_json(std::string_view body) {
  const auto parser = std::make_shared<simdjson::dom::parser>();
  if (parser->allocate(body.size() + 64, kMaxDepth) != simdjson::SUCCESS) return std::nullopt;
  simdjson::dom::element root;
  if (parser->parse(body.data(), body.size()).get(root)) return std::nullopt;
  int64_t left = kMaxValues;
  Value value = value_of(root, left);
  if (value.kind != Value::Kind::object || left < 0) return std::nullopt;
  return Document{std::move(value), parser};
}

}  // namespace pinflow::kinesis
