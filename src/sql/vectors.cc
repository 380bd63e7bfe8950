#include "sql/vectors.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace pinflow::sql {
namespace {

struct FreeType {
  void operator()(duckdb_logical_type type) const { duckdb_destroy_logical_type(&type); }
};
using Type = std::unique_ptr<_duckdb_logical_type, FreeType>;

struct FreeText {
  void operator()(char* text) const { duckdb_free(text); }
};
using Text = std::unique_ptr<char, FreeText>;

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

std::string int128_text(Int128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  UInt128 rest = negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  std::string digits;
  for (; rest > 0; rest /= 10) digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (negative) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

Value from_int128(Int128 value) {
  if (value >= INT64_MIN && value <= INT64_MAX) return {static_cast<int64_t>(value)};
  return {int128_text(value)};
}

Int128 int128_of(const duckdb_hugeint& value) { return (static_cast<Int128>(value.upper) << 64) | value.lower; }

std::string uuid_text(const duckdb_hugeint& value) {
  const uint64_t high = static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63);  // stored with the sign bit flipped
  const std::string hex = fmt::format("{:016x}{:016x}", high, value.lower);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

std::string date_text(duckdb_date date) {
  const duckdb_date_struct parts = duckdb_from_date(date);
  return fmt::format("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day);
}

template <class T>
const T& at(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

int64_t unscaled(duckdb_type kind, duckdb_vector vector, idx_t row) {
  switch (kind) {
    case DUCKDB_TYPE_SMALLINT: return at<int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER: return at<int32_t>(vector, row);
    default: return at<int64_t>(vector, row);
  }
}

Value decimal(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const int scale = duckdb_decimal_scale(type);
  if (duckdb_decimal_internal_type(type) == DUCKDB_TYPE_HUGEINT) {
    const duckdb_decimal whole{duckdb_decimal_width(type), duckdb_decimal_scale(type), at<duckdb_hugeint>(vector, row)};
    return {duckdb_decimal_to_double(whole)};
  }
  const int64_t digits = unscaled(duckdb_decimal_internal_type(type), vector, row);
  return {static_cast<double>(digits) / std::pow(10.0, scale)};
}

std::string enum_text(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  idx_t index = 0;
  switch (duckdb_enum_internal_type(type)) {
    case DUCKDB_TYPE_UTINYINT: index = at<uint8_t>(vector, row); break;
    case DUCKDB_TYPE_USMALLINT: index = at<uint16_t>(vector, row); break;
    default: index = at<uint32_t>(vector, row);
  }
  return Text(duckdb_enum_dictionary_value(type, index)).get();
}

Result<Value> cell(duckdb_logical_type type, duckdb_vector vector, idx_t row);

Result<Value> list(duckdb_logical_type child_type, duckdb_vector child, idx_t offset, idx_t length) {
  List out;
  out.reserve(length);
  for (idx_t i = 0; i < length; ++i) {
    auto each = cell(child_type, child, offset + i);
    if (!each) return each;
    out.push_back(std::move(*each));
  }
  return Value{std::move(out)};
}

Result<Value> structure(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  Members out;
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const Type child(duckdb_struct_type_child_type(type, i));
    auto each = cell(child.get(), duckdb_struct_vector_get_child(vector, i), row);
    if (!each) return each;
    out.emplace_back(Text(duckdb_struct_type_child_name(type, i)).get(), std::move(*each));
  }
  return Value{std::move(out)};
}

Result<Value> map(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const auto entry = at<duckdb_list_entry>(vector, row);
  const Type key(duckdb_map_type_key_type(type));
  const Type value(duckdb_map_type_value_type(type));
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  Members out;
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    auto name = cell(key.get(), duckdb_struct_vector_get_child(pairs, 0), i);
    auto member = cell(value.get(), duckdb_struct_vector_get_child(pairs, 1), i);
    if (!name) return name;
    if (!member) return member;
    out.emplace_back(text_of(*name), std::move(*member));
  }
  return Value{std::move(out)};
}

Result<Value> cell(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && (validity[row / 64] >> (row % 64) & 1) == 0) return Value{};
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_SQLNULL: return Value{};
    case DUCKDB_TYPE_BOOLEAN: return Value{at<bool>(vector, row)};
    case DUCKDB_TYPE_TINYINT: return Value{int64_t{at<int8_t>(vector, row)}};
    case DUCKDB_TYPE_SMALLINT: return Value{int64_t{at<int16_t>(vector, row)}};
    case DUCKDB_TYPE_INTEGER: return Value{int64_t{at<int32_t>(vector, row)}};
    case DUCKDB_TYPE_BIGINT: return Value{at<int64_t>(vector, row)};
    case DUCKDB_TYPE_UTINYINT: return Value{int64_t{at<uint8_t>(vector, row)}};
    case DUCKDB_TYPE_USMALLINT: return Value{int64_t{at<uint16_t>(vector, row)}};
    case DUCKDB_TYPE_UINTEGER: return Value{int64_t{at<uint32_t>(vector, row)}};
    case DUCKDB_TYPE_UBIGINT: return from_int128(at<uint64_t>(vector, row));
    case DUCKDB_TYPE_HUGEINT: return from_int128(int128_of(at<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_FLOAT: return Value{double{at<float>(vector, row)}};
    case DUCKDB_TYPE_DOUBLE: return Value{at<double>(vector, row)};
    case DUCKDB_TYPE_DECIMAL: return decimal(type, vector, row);
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return Value{Timestamp{at<int64_t>(vector, row)}};
    case DUCKDB_TYPE_TIMESTAMP_S: return Value{Timestamp{at<int64_t>(vector, row) * 1'000'000}};
    case DUCKDB_TYPE_TIMESTAMP_MS: return Value{Timestamp{at<int64_t>(vector, row) * 1'000}};
    case DUCKDB_TYPE_TIMESTAMP_NS: return Value{Timestamp{at<int64_t>(vector, row) / 1'000}};
    case DUCKDB_TYPE_DATE: return Value{date_text(at<duckdb_date>(vector, row))};
    case DUCKDB_TYPE_UUID: return Value{uuid_text(at<duckdb_hugeint>(vector, row))};
    case DUCKDB_TYPE_ENUM: return Value{enum_text(type, vector, row)};
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB: {
      duckdb_string_t text = at<duckdb_string_t>(vector, row);
      return Value{std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text))};
    }
    case DUCKDB_TYPE_LIST: {
      const auto entry = at<duckdb_list_entry>(vector, row);
      const Type child(duckdb_list_type_child_type(type));
      return list(child.get(), duckdb_list_vector_get_child(vector), entry.offset, entry.length);
    }
    case DUCKDB_TYPE_ARRAY: {
      const Type child(duckdb_array_type_child_type(type));
      const idx_t size = duckdb_array_type_array_size(type);
      return list(child.get(), duckdb_array_vector_get_child(vector), row * size, size);
    }
    case DUCKDB_TYPE_STRUCT: return structure(type, vector, row);
    case DUCKDB_TYPE_MAP: return map(type, vector, row);
    default: return unsupported("a column of type {}: cast it to VARCHAR", type_name(type));
  }
}

}  // namespace

std::string type_name(void* logical_type) {
  const auto type = static_cast<duckdb_logical_type>(logical_type);
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN: return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT: return "TINYINT";
    case DUCKDB_TYPE_SMALLINT: return "SMALLINT";
    case DUCKDB_TYPE_INTEGER: return "INTEGER";
    case DUCKDB_TYPE_BIGINT: return "BIGINT";
    case DUCKDB_TYPE_UTINYINT: return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT: return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER: return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT: return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT: return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT: return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT: return "FLOAT";
    case DUCKDB_TYPE_DOUBLE: return "DOUBLE";
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_TIMESTAMP: return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S: return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS: return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS: return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ: return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_DATE: return "DATE";
    case DUCKDB_TYPE_TIME: return "TIME";
    case DUCKDB_TYPE_TIME_TZ: return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_INTERVAL: return "INTERVAL";
    case DUCKDB_TYPE_VARCHAR: return "VARCHAR";
    case DUCKDB_TYPE_BLOB: return "BLOB";
    case DUCKDB_TYPE_BIT: return "BIT";
    case DUCKDB_TYPE_UUID: return "UUID";
    case DUCKDB_TYPE_ENUM: return "ENUM";
    case DUCKDB_TYPE_UNION: return "UNION";
    case DUCKDB_TYPE_SQLNULL: return "\"NULL\"";
    case DUCKDB_TYPE_LIST: return type_name(Type(duckdb_list_type_child_type(type)).get()) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return fmt::format("{}[{}]", type_name(Type(duckdb_array_type_child_type(type)).get()),
                         duckdb_array_type_array_size(type));
    case DUCKDB_TYPE_MAP:
      return fmt::format("MAP({}, {})", type_name(Type(duckdb_map_type_key_type(type)).get()),
                         type_name(Type(duckdb_map_type_value_type(type)).get()));
    case DUCKDB_TYPE_STRUCT: {
      std::string out;
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        out += fmt::format("{}{} {}", i == 0 ? "STRUCT(" : ", ", Text(duckdb_struct_type_child_name(type, i)).get(),
                           type_name(Type(duckdb_struct_type_child_type(type, i)).get()));
      }
      return out + ")";
    }
    default: return "an unknown type";
  }
}

Result<> append_chunk(Table& table, void* chunk_handle) {
  const auto chunk = static_cast<duckdb_data_chunk>(chunk_handle);
  const size_t first = table.rows.size();
  const idx_t size = duckdb_data_chunk_get_size(chunk);
  table.rows.resize(first + size);
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, c);
    const Type type(duckdb_vector_get_column_type(vector));
    for (idx_t row = 0; row < size; ++row) {
      auto value = cell(type.get(), vector, row);
      if (!value) return pass(value.error(), "column {}", table.columns[c].name);
      table.rows[first + row].push_back(std::move(*value));
    }
  }
  return {};
}

}  // namespace pinflow::sql
