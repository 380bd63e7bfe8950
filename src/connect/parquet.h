// Lines of JSON as one Parquet object, by DuckDB, always the same bytes for the same lines. They go through files in
// memory: nothing is left anywhere when the program is killed.
// Thread-safe: one object is made at a time. DuckDB is opened with the first.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connect/settings.h"

namespace pinflow::connect {

// The types that a column may have: BIGINT, DOUBLE, BOOLEAN and VARCHAR, which takes any value as its text.
bool is_column_type(std::string_view type);

// Whether a record that has passed the gate fits the columns: an object, no field that is no column, each value null or
// of its column's type. Else the reason.
std::expected<void, std::string> fits(const std::vector<Column>& columns, std::string_view compact_json);

class ParquetMaker {
 public:
  // `codec`: none, snappy, gzip, zstd.
  explicit ParquetMaker(std::string codec);
  ~ParquetMaker();

  // Each line fits the columns. Works on while the program is asked to stop: what is in progress is written first.
  // full, unavailable: may pass.
  Result<std::string> make(const std::vector<Column>& columns, std::string_view lines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::connect
