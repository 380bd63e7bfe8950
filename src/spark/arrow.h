// Arrow's IPC stream, as far as Spark writes answers in it: bytes in, rows of values out. Pure; the bytes come from a
// server, so nothing of them is believed. (Format: Arrow Columnar Format 1.5, "IPC streaming format", Message.fbs,
// Schema.fbs. Each message is FF FF FF FF, the metadata's length, a flatbuffer, padding to 8, the body's buffers.)
//
// Read: null, boolean, integers, float and double, decimal(128), utf8 and binary (32 and 64-bit offsets), date32,
// timestamp (microseconds), list, struct, map. Not read, and refused by name: dictionaries, compressed bodies,
// intervals, times, unions, and the structs by which Spark sends variant and geometry.
#pragma once

#include <string_view>

#include "base/error.h"
#include "sql/value.h"

namespace pinflow::spark {

// Appends one stream's rows to `table`. The first stream sets the columns, with the names that DuckDB gives their
// types; the next ones must have the same. The values are those of sql::Value: decimals double, dates text.
// Errors: corrupt (the bytes do not hold together), unsupported (a type, by column), full (above sql::kMaxRows).
Result<> append_arrow(sql::Table& table, std::string_view stream);

}  // namespace pinflow::spark
