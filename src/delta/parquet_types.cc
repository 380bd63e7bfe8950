#include <algorithm>

#include "delta/parquet_footer.h"
#include "delta/schema.h"

namespace pinflow::delta {
namespace {

std::string_view name_of(Physical physical) {
  switch (physical) {
    case Physical::boolean: return "BOOLEAN";
    case Physical::int32: return "INT32";
    case Physical::int64: return "INT64";
    case Physical::int96: return "INT96";
    case Physical::float_: return "FLOAT";
    case Physical::double_: return "DOUBLE";
    case Physical::byte_array: return "BYTE_ARRAY";
    case Physical::fixed_byte_array: return "FIXED_LEN_BYTE_ARRAY";
    case Physical::group: return "group";
  }
  return "an unknown type";
}

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::millis: return "millis";
    case Unit::micros: return "micros";
    case Unit::nanos: return "nanos";
    case Unit::none: break;
  }
  return "no unit";
}

std::string describe_logical(const ParquetNode& node) {
  switch (node.logical) {
    case Logical::none: return {};
    case Logical::string: return "STRING";
    case Logical::map: return "MAP";
    case Logical::list: return "LIST";
    case Logical::enumeration: return "ENUM";
    case Logical::decimal: return fmt::format("DECIMAL({},{})", node.precision, node.scale);
    case Logical::date: return "DATE";
    case Logical::time: return "TIME";
    case Logical::timestamp:
      return fmt::format("TIMESTAMP({}, {})", node.adjusted_to_utc ? "UTC" : "not UTC", name_of(node.unit));
    case Logical::integer: return fmt::format("INT({}, {})", node.bits, node.is_signed ? "signed" : "unsigned");
    case Logical::json: return "JSON";
    case Logical::bson: return "BSON";
    case Logical::uuid: return "UUID";
    case Logical::other: return "of another kind";
  }
  return {};
}

// Is the leaf a signed integer of so many bits? A plain INT32 or INT64 is one of 32 or 64.
bool is_integer(const ParquetNode& node, Physical physical, int bits) {
  if (node.physical != physical) return false;
  if (node.logical == Logical::none) return bits == (physical == Physical::int32 ? 32 : 64);
  return node.logical == Logical::integer && node.is_signed && node.bits == bits;
}

bool is_plain(const ParquetNode& node, Physical physical) {
  return node.physical == physical && node.logical == Logical::none;
}

bool is_decimal(const ParquetNode& node, std::string_view type) {
  return node.physical != Physical::group && node.logical == Logical::decimal &&
         type == fmt::format("decimal({},{})", node.precision, node.scale);
}

bool is_leaf_of(const ParquetNode& node, std::string_view type) {
  if (type == "string") return node.physical == Physical::byte_array && node.logical == Logical::string;
  if (type == "long") return is_integer(node, Physical::int64, 64);
  if (type == "integer") return is_integer(node, Physical::int32, 32);
  if (type == "short") return is_integer(node, Physical::int32, 16);
  if (type == "byte") return is_integer(node, Physical::int32, 8);
  if (type == "double") return is_plain(node, Physical::double_);
  if (type == "float") return is_plain(node, Physical::float_);
  if (type == "boolean") return is_plain(node, Physical::boolean);
  if (type == "binary") return is_plain(node, Physical::byte_array);
  if (type == "date") return node.physical == Physical::int32 && node.logical == Logical::date;
  if (type == "timestamp") {
    return node.physical == Physical::int64 && node.logical == Logical::timestamp && node.adjusted_to_utc &&
           node.unit == Unit::micros;
  }
  return is_decimal(node, type);
}

std::string wanted(std::string_view type) {
  if (type == "string") return "BYTE_ARRAY STRING";
  if (type == "long") return "INT64";
  if (type == "integer") return "INT32";
  if (type == "short") return "INT32 INT(16, signed)";
  if (type == "byte") return "INT32 INT(8, signed)";
  if (type == "double") return "DOUBLE";
  if (type == "float") return "FLOAT";
  if (type == "boolean") return "BOOLEAN";
  if (type == "binary") return "BYTE_ARRAY";
  if (type == "date") return "INT32 DATE";
  if (type == "timestamp") return "INT64 TIMESTAMP(UTC, micros)";
  return std::string(type);
}

// The element of a list in three levels: group (LIST) { repeated group list { element } }.
const ParquetNode* list_element(const ParquetNode& node) {
  if (node.logical != Logical::list || node.children.size() != 1) return nullptr;
  const ParquetNode& middle = node.children.front();
  if (!middle.repeated || middle.physical != Physical::group || middle.children.size() != 1) return nullptr;
  const ParquetNode& element = middle.children.front();
  return element.repeated ? nullptr : &element;
}

}  // namespace

std::string describe(const ParquetNode& node) {
  std::string text = node.repeated ? "repeated " : "";
  if (const ParquetNode* element = list_element(node)) return text + fmt::format("LIST of {}", describe(*element));
  text += name_of(node.physical);
  if (const std::string logical = describe_logical(node); !logical.empty()) text += " " + logical;
  return text;
}

std::string type_mismatch(const ParquetNode& column, std::string_view type) {
  const std::string_view element_type = element_of(type);
  if (element_type.empty()) {
    if (!column.repeated && is_leaf_of(column, type)) return {};
    return fmt::format("is {}, not {}", describe(column), wanted(type));
  }
  const ParquetNode* element = column.repeated ? nullptr : list_element(column);
  if (element == nullptr) return fmt::format("is {}, not a list", describe(column));
  if (type_mismatch(*element, element_type).empty()) return {};
  return fmt::format("is {}, not a LIST of {}", describe(column), wanted(element_type));
}

}  // namespace pinflow::delta
