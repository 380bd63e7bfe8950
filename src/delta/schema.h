// A Delta table's schema: the StructType JSON of metaData.schemaString, both ways (PROTOCOL.md, "Schema Serialization
// Format"). Pure.
//
// A type is written as one word: "string", "long", "integer", "short", "byte", "double", "float", "boolean", "binary",
// "date", "timestamp", "decimal(10,2)", "array<T>". Foreign tables may hold "map<K,V>" and "struct<name:T,…>" too: they
// are read and shown, and an append to such a table is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::delta {

struct Column {
  std::string name;
  std::string type;
  bool nullable = true;
  std::string metadata = "{}";  // JSON object: invariants, column mapping and the like

  bool operator==(const Column&) const = default;
};

// invalid where a type's word is none that we write, or two names differ by case alone.
Result<std::string> schema_to_json(const std::vector<Column>& columns);

// corrupt where the text is no StructType.
Result<std::vector<Column>> schema_from_json(std::string_view json);

// Whether a writer may declare these columns for a table that has those: they are the same, in the same order, or have
// new ones after the last. What keeps it from it, in words that follow "the table …" and say what to do; empty where
// nothing does. Nullability and metadata of columns that are there are not compared.
std::string schema_difference(const std::vector<Column>& table, const std::vector<Column>& wanted);

// The schema with those of the columns that it has not yet at its end, nullable; what it has stays as it is written.
Result<std::string> widen_schema(std::string_view json, const std::vector<Column>& columns);

// A checksum of names (in order) and types.
uint32_t schema_mark(const std::vector<Column>& columns);

// "double" of "array<double>"; empty where the type is no array.
std::string_view element_of(std::string_view type);

}  // namespace pinflow::delta
