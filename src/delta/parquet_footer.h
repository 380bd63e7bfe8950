// The footer of a Parquet file: its schema, number of rows and column statistics (parquet-format's parquet.thrift, in
// Thrift's compact encoding). Only what is needed to hold a file against a table's schema. Pure.
//
//   … pages … | FileMetaData | its length, 4 bytes little endian | "PAR1"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::delta {

enum class Physical { boolean = 0, int32, int64, int96, float_, double_, byte_array, fixed_byte_array, group = 100 };
enum class Logical {
  none,
  string,
  map,
  list,
  enumeration,
  decimal,
  date,
  time,
  timestamp,
  integer,
  json,
  bson,
  uuid,
  other
};
enum class Unit { none, millis, micros, nanos };

struct ParquetNode {
  std::string name;
  Physical physical = Physical::group;
  Logical logical = Logical::none;
  bool repeated = false;
  int bits = 0;           // of an integer
  bool is_signed = true;  // of an integer
  int precision = 0;      // of a decimal
  int scale = 0;
  bool adjusted_to_utc = true;  // of a time or timestamp
  Unit unit = Unit::none;
  std::vector<ParquetNode> children;
};

// Of one leaf column over all row groups. Values are in Parquet's PLAIN encoding, without a length.
struct LeafStats {
  std::vector<std::string> path;
  std::optional<int64_t> null_count;  // missing where some row group does not say
  std::optional<std::vector<std::string>>
      minimums;  // one a row group that has rows which are not null; missing where one does not say
  std::optional<std::vector<std::string>> maximums;
};

struct ParquetFooter {
  int64_t rows = 0;
  ParquetNode schema;  // the root; its children are the columns
  std::vector<LeafStats> leaves;
};

inline constexpr size_t kParquetTail = 8;  // bytes after the metadata

// Length of the metadata, from the last kParquetTail bytes of a file. corrupt where these are not Parquet's.
Result<size_t> footer_length(std::string_view tail);

// From the metadata's bytes. corrupt where they are cut short or nested too deeply.
Result<ParquetFooter> parse_footer(std::string_view metadata);

// "INT64 TIMESTAMP(not UTC, micros)", for messages.
std::string describe(const ParquetNode& node);

// What keeps a column from being a table's column of this Delta type, in words: "is INT32, not INT64". Empty where
// nothing does. (PROTOCOL.md, "Delta Data Type to Parquet Type Mappings"; a timestamp must be INT64 microseconds, UTC.)
std::string type_mismatch(const ParquetNode& column, std::string_view type);

}  // namespace pinflow::delta
