// Spark's types by the names that DuckDB gives them. Of this room: it needs Spark's protocol.
#pragma once

#include <string>

namespace spark::connect {
class DataType;
}

namespace pinflow::spark {

// "BIGINT", "VARCHAR[]", "STRUCT(a INTEGER)"; a type that DuckDB does not have by Spark's own name: "VARIANT".
std::string type_name(const ::spark::connect::DataType& type);

}  // namespace pinflow::spark
