// What a request may hold, as AWS's service model says, and the check of a request against it: the types first
// (SerializationException), then the constraints (ValidationException), in the words that AWS's clients know. Pure.
// Source: the model of Kinesis 2013-12-02 that botocore ships.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kinesis/api/error.h"
#include "kinesis/api/value.h"

namespace pinflow::kinesis {

enum class Type { text, integer, boolean, timestamp, blob, list, map, structure };

struct Field;

struct Shape {
  Type type = Type::text;
  int64_t least = -1, most = -1;  // of an integer its value, of all others the length; -1: no bound
  bool (*matches)(std::string_view) = nullptr;
  std::string_view pattern;                   // what `matches` holds to, for messages
  std::span<const std::string_view> choices;  // of a text
  const Shape* item = nullptr;                // of a list's elements, of a map's values
  const Shape* key = nullptr;                 // of a map's names
  std::span<const Field> fields;              // of a structure
};

struct Field {
  std::string_view name;
  const Shape* shape = nullptr;
  bool required = false;
};

// Checks the request; its blobs are decoded into `bytes`. Members that the shape does not know are let be.
Answer<> check(Value& request, std::span<const Field> fields);

}  // namespace pinflow::kinesis
