#include "pipeline/pipeline.h"

#include <cstdlib>

namespace pinflow::pipeline {

std::string_view name_of(Type type) {
  switch (type) {
    case Type::string: return "string";
    case Type::integer: return "integer";
    case Type::long_: return "long";
    case Type::double_: return "double";
    case Type::boolean: return "boolean";
    case Type::timestamp: return "timestamp";
    case Type::array_of_double: return "array<double>";
    case Type::array_of_string: return "array<string>";
  }
  std::abort();
}

std::string_view sql_name_of(Type type) {
  switch (type) {
    case Type::string: return "VARCHAR";
    case Type::integer: return "INTEGER";
    case Type::long_: return "BIGINT";
    case Type::double_: return "DOUBLE";
    case Type::boolean: return "BOOLEAN";
    case Type::timestamp: return "TIMESTAMPTZ";
    case Type::array_of_double: return "DOUBLE[]";
    case Type::array_of_string: return "VARCHAR[]";
  }
  std::abort();
}

std::string_view name_of(SourceType type) {
  switch (type) {
    case SourceType::integer: return "integer";
    case SourceType::bigint: return "bigint";
    case SourceType::float_: return "float";
    case SourceType::double_: return "double";
    case SourceType::text: return "text";
    case SourceType::datetime: return "datetime";
  }
  std::abort();
}

const RecordType* Pipeline::find_record(std::string_view name) const {
  for (const RecordType& record : records) {
    if (record.name == name) return &record;
  }
  return nullptr;
}

const Query* Pipeline::find_query(std::string_view name) const {
  for (const Query& query : queries) {
    if (query.name == name) return &query;
  }
  return nullptr;
}

}  // namespace pinflow::pipeline
