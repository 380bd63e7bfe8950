// One value of a row of a source table, and its text in JSON. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"

namespace pinflow::source {

// Reused from row to row, so that its text keeps its memory.
struct Value {
  enum class Kind : uint8_t { null, integer, real, text };

  Kind kind = Kind::null;
  int64_t integer = 0;
  double real = 0;
  std::string text;  // UTF-8; also of datetime

  void set_null() { kind = Kind::null; }
  void set(int64_t value) {
    kind = Kind::integer;
    integer = value;
  }
  void set(double value) {
    kind = Kind::real;
    real = value;
  }
  void set(std::string_view value) {
    kind = Kind::text;
    text = value;
  }
};
using Row = std::vector<Value>;  // in the order of the table's columns

void append_json(std::string& to, const Value& value);

// The shortest decimal that reads back as the same number, as Python writes it: -89.9787, 20.0, 1e-05. NaN and
// infinities, which JSON lacks, become null.
void append_real(std::string& to, double value);
void append_single(std::string& to, float value);

// The double whose shortest decimal is that of the 32-bit float next to `value`: what a FLOAT column gives back.
// Nothing where it does not fit in 32 bits.
std::optional<double> as_single(double value);

// "2020-08-28 03:52:47" from that or from "2020-08-28T03:52:47"; nothing where it is no date of the years 1000 to 9999.
std::optional<std::string> as_datetime(std::string_view text);

// "1970-01-01 00:00:00" plus `seconds`.
void append_datetime(std::string& to, int64_t seconds);
// The other way round, from the exact form; nothing where as_datetime gives nothing.
std::optional<int64_t> datetime_seconds(std::string_view text);

// Brings a value into its column's type: integers within range, floats narrowed, datetimes in their one form.
// What does not fit is described: "'abc' is no datetime (YYYY-MM-DD HH:MM:SS)".
Result<> fit(Value& value, const pipeline::SourceColumn& column);

}  // namespace pinflow::source
