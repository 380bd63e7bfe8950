#include "spark/arrow_schema.h"

#include <fmt/format.h>

namespace pinflow::spark {
namespace {

constexpr int kMaxDepth = 100;  // of lists in structs in …

// Type of Schema.fbs.
enum Type : uint8_t {
  kNull = 1,
  kInt = 2,
  kFloatingPoint = 3,
  kBinary = 4,
  kUtf8 = 5,
  kBool = 6,
  kDecimal = 7,
  kDate = 8,
  kTime = 9,
  kTimestamp = 10,
  kInterval = 11,
  kList = 12,
  kStruct = 13,
  kMap = 17,
  kDuration = 18,
  kLargeBinary = 19,
  kLargeUtf8 = 20,
  kLargeList = 21,
};

// Spark marks a member of the structs that stand for its own types.
bool stands_for_another_type(const FlatTable& field) {
  for (uint32_t i = 0; i < field.tables(6); ++i) {
    const std::string_view key = field.table(6, i).text(0);
    if (key == "variant" || key == "geometry" || key == "geography") return true;
  }
  return false;
}

std::unexpected<Error> refuse(const ArrowField& field, std::string_view type) {
  return unsupported("column {}: a value of type {}: cast it to STRING", field.name, type);
}

Result<> read_int(ArrowField& to, const FlatTable& type) {
  if (type.number<uint8_t>(1) == 0) return refuse(to, "unsigned integer");
  switch (type.number<int32_t>(0)) {
    case 8: to.kind = ArrowKind::int8; return {};
    case 16: to.kind = ArrowKind::int16; return {};
    case 32: to.kind = ArrowKind::int32; return {};
    case 64: to.kind = ArrowKind::int64; return {};
    default: return refuse(to, "integer of unknown width");
  }
}

Result<> read_type(ArrowField& to, uint8_t kind, const FlatTable& type) {
  switch (kind) {
    case kNull: to.kind = ArrowKind::null; return {};
    case kInt: return read_int(to, type);
    case kFloatingPoint:
      if (type.number<int16_t>(0) == 0) return refuse(to, "half float");
      to.kind = type.number<int16_t>(0) == 1 ? ArrowKind::float32 : ArrowKind::float64;
      return {};
    case kBool: to.kind = ArrowKind::boolean; return {};
    case kDecimal:
      if (type.number<int32_t>(2, 128) != 128) return refuse(to, "decimal of another width than 128 bits");
      to.kind = ArrowKind::decimal;
      to.precision = type.number<int32_t>(0);
      to.scale = type.number<int32_t>(1);
      if (to.precision < 1 || to.precision > 38 || to.scale < 0 || to.scale > 38) return corrupt("a decimal's scale");
      return {};
    case kUtf8:
    case kLargeUtf8:
      to.kind = ArrowKind::utf8;
      to.large = kind == kLargeUtf8;
      return {};
    case kBinary:
    case kLargeBinary:
      to.kind = ArrowKind::binary;
      to.large = kind == kLargeBinary;
      return {};
    case kDate:
      if (type.number<int16_t>(0, 1) != 0) return refuse(to, "date in milliseconds");
      to.kind = ArrowKind::date;
      return {};
    case kTimestamp:
      if (type.number<int16_t>(0) != 2) return refuse(to, "timestamp in another unit than microseconds");
      to.kind = ArrowKind::timestamp;
      to.zoned = !type.text(1).empty();
      return {};
    case kList:
    case kLargeList:
      to.kind = ArrowKind::list;
      to.large = kind == kLargeList;
      return {};
    case kStruct: to.kind = ArrowKind::structure; return {};
    case kMap: to.kind = ArrowKind::map; return {};
    case kTime: return refuse(to, "time");
    case kInterval:
    case kDuration: return refuse(to, "interval");
    default: return refuse(to, fmt::format("Arrow type {}", kind));
  }
}

Result<ArrowField> read_field(const FlatTable& field, int depth) {
  ArrowField out;
  out.name = field.text(0);
  if (depth > kMaxDepth) return corrupt("column {}: types nested deeper than {}", out.name, kMaxDepth);
  if (field.table(4)) return refuse(out, "dictionary");
  if (auto read = read_type(out, field.number<uint8_t>(2), field.table(3)); !read) return pass(read.error());
  for (uint32_t i = 0; i < field.tables(5); ++i) {
    const FlatTable child = field.table(5, i);
    if (stands_for_another_type(child)) return refuse(out, "variant or geometry");
    auto read = read_field(child, depth + 1);
    if (!read) return read;
    out.children.push_back(std::move(*read));
  }
  const bool whole = out.kind == ArrowKind::list  ? out.children.size() == 1
                     : out.kind == ArrowKind::map ? out.children.size() == 1 && out.children[0].children.size() == 2
                                                  : out.kind == ArrowKind::structure || out.children.empty();
  if (!whole) return corrupt("column {}: {} members in its type", out.name, out.children.size());
  return out;
}

}  // namespace

Result<std::vector<ArrowField>> read_arrow_schema(const FlatTable& schema) {
  std::vector<ArrowField> out;
  if (schema.number<int16_t>(0) != 0) return unsupported("Arrow data in big-endian order");
  for (uint32_t i = 0; i < schema.tables(1); ++i) {
    auto field = read_field(schema.table(1, i), 0);
    if (!field) return pass(field.error());
    out.push_back(std::move(*field));
  }
  return out;
}

std::string type_name(const ArrowField& field) {
  switch (field.kind) {
    case ArrowKind::null: return "\"NULL\"";
    case ArrowKind::boolean: return "BOOLEAN";
    case ArrowKind::int8: return "TINYINT";
    case ArrowKind::int16: return "SMALLINT";
    case ArrowKind::int32: return "INTEGER";
    case ArrowKind::int64: return "BIGINT";
    case ArrowKind::float32: return "FLOAT";
    case ArrowKind::float64: return "DOUBLE";
    case ArrowKind::decimal: return fmt::format("DECIMAL({},{})", field.precision, field.scale);
    case ArrowKind::utf8: return "VARCHAR";
    case ArrowKind::binary: return "BLOB";
    case ArrowKind::date: return "DATE";
    case ArrowKind::timestamp: return field.zoned ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP";
    case ArrowKind::list: return type_name(field.children[0]) + "[]";
    case ArrowKind::map: {
      const auto& entry = field.children[0].children;
      return fmt::format("MAP({}, {})", type_name(entry[0]), type_name(entry[1]));
    }
    case ArrowKind::structure: break;
  }
  std::string out;
  for (const ArrowField& member : field.children) {
    if (!out.empty()) out += ", ";
    out += member.name + " " + type_name(member);
  }
  return "STRUCT(" + out + ")";
}

}  // namespace pinflow::spark
