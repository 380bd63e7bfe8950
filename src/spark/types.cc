#include "spark/types.h"

#include <fmt/format.h>
#include <spark/connect/types.pb.h>

namespace pinflow::spark {

std::string type_name(const ::spark::connect::DataType& type) {
  using Type = ::spark::connect::DataType;
  switch (type.kind_case()) {
    case Type::kNull: return "\"NULL\"";
    case Type::kBoolean: return "BOOLEAN";
    case Type::kByte: return "TINYINT";
    case Type::kShort: return "SMALLINT";
    case Type::kInteger: return "INTEGER";
    case Type::kLong: return "BIGINT";
    case Type::kFloat: return "FLOAT";
    case Type::kDouble: return "DOUBLE";
    case Type::kDecimal: {
      const auto& decimal = type.decimal();
      return fmt::format("DECIMAL({},{})", decimal.has_precision() ? decimal.precision() : 10, decimal.scale());
    }
    case Type::kString:
    case Type::kChar:
    case Type::kVarChar: return "VARCHAR";
    case Type::kBinary: return "BLOB";
    case Type::kDate: return "DATE";
    case Type::kTimestamp: return "TIMESTAMP WITH TIME ZONE";
    case Type::kTimestampNtz: return "TIMESTAMP";
    case Type::kTime: return "TIME";
    case Type::kCalendarInterval:
    case Type::kYearMonthInterval:
    case Type::kDayTimeInterval: return "INTERVAL";
    case Type::kArray: return type_name(type.array().element_type()) + "[]";
    case Type::kMap:
      return fmt::format("MAP({}, {})", type_name(type.map().key_type()), type_name(type.map().value_type()));
    case Type::kStruct: {
      std::string out;
      for (const auto& field : type.struct_().fields()) {
        if (!out.empty()) out += ", ";
        out += field.name() + " " + type_name(field.data_type());
      }
      return "STRUCT(" + out + ")";
    }
    case Type::kVariant: return "VARIANT";
    case Type::kGeometry: return "GEOMETRY";
    case Type::kGeography: return "GEOGRAPHY";
    default: return "UNKNOWN";
  }
}

}  // namespace pinflow::spark
