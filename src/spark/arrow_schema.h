// The schema of an Arrow stream: its columns as a tree of types. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "spark/flatbuffer.h"

namespace pinflow::spark {

enum class ArrowKind {
  null,
  boolean,
  int8,
  int16,
  int32,
  int64,
  float32,
  float64,
  decimal,
  utf8,
  binary,
  date,
  timestamp,
  list,
  structure,
  map
};

struct ArrowField {
  std::string name;
  ArrowKind kind = ArrowKind::null;
  bool large = false;  // 64-bit offsets
  int precision = 0;   // of a decimal
  int scale = 0;
  bool zoned = false;  // a timestamp with a time zone: an instant
  std::vector<ArrowField> children;

  bool operator==(const ArrowField&) const = default;
};

// The fields of a Schema table. unsupported: a type that a table cannot hold, by the column's name.
Result<std::vector<ArrowField>> read_arrow_schema(const FlatTable& schema);

// DuckDB's name for the type: "BIGINT", "VARCHAR[]", "STRUCT(a INTEGER)".
std::string type_name(const ArrowField& field);

}  // namespace pinflow::spark
