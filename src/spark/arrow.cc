#include "spark/arrow.h"

#include <chrono>
#include <cmath>
#include <cstring>

#include "spark/arrow_schema.h"
#include "sql/duckdb.h"

namespace pinflow::spark {
namespace {

using sql::Value;

enum Header : uint8_t { kSchema = 1, kDictionary = 2, kRecordBatch = 3 };

__extension__ typedef __int128 Int128;

// One column of a batch: where its parts stand in the body.
struct Column {
  const ArrowField* field = nullptr;
  int64_t length = 0;
  std::string_view validity;  // a bit a row, lowest first; empty: all valid
  std::string_view offsets;   // of texts, lists and maps: length + 1
  std::string_view data;
  std::vector<Column> children;
};

template <class T>
T at(std::string_view data, int64_t index) {
  T value;
  std::memcpy(&value, data.data() + index * static_cast<int64_t>(sizeof value), sizeof value);
  return value;
}

int64_t offset_at(const Column& column, int64_t index) {
  return column.field->large ? at<int64_t>(column.offsets, index) : at<int32_t>(column.offsets, index);
}

// Bytes of one value of a fixed width; 0 for the others.
int64_t width_of(ArrowKind kind) {
  switch (kind) {
    case ArrowKind::int8: return 1;
    case ArrowKind::int16: return 2;
    case ArrowKind::int32:
    case ArrowKind::float32:
    case ArrowKind::date: return 4;
    case ArrowKind::int64:
    case ArrowKind::float64:
    case ArrowKind::timestamp: return 8;
    case ArrowKind::decimal: return 16;
    default: return 0;
  }
}

// Takes the columns' nodes and buffers in the order of the format: a column's own, then its children's.
class BatchReader {
 public:
  BatchReader(const FlatTable& batch, std::string_view body)
      : nodes_(batch.structs(1, 16)), buffers_(batch.structs(2, 16)), body_(body) {}

  Result<Column> column(const ArrowField& field) {
    Column out{.field = &field};
    if ((next_node_ + 1) * 16 > nodes_.size()) return corrupt("fewer columns than the schema has");
    out.length = at<int64_t>(nodes_.substr(next_node_ * 16), 0);
    const int64_t nulls = at<int64_t>(nodes_.substr(next_node_ * 16), 1);
    ++next_node_;
    if (out.length < 0 || out.length > INT32_MAX) return corrupt("{} values in a column", out.length);
    if (field.kind == ArrowKind::null) return out;
    if (!take(out.validity)) return corrupt("a buffer of column {} lies outside of its message", field.name);
    if (nulls == 0) out.validity = {};
    if (!out.validity.empty() && static_cast<int64_t>(out.validity.size()) * 8 < out.length) {
      return corrupt("column {}: its bits of validity are cut short", field.name);
    }
    auto taken = values(out, field);
    if (!taken) return pass(taken.error());
    for (const ArrowField& child : field.children) {
      auto read = column(child);
      if (!read) return read;
      out.children.push_back(std::move(*read));
    }
    if (auto checked = check(out); !checked) return pass(checked.error());
    return out;
  }

 private:
  bool take(std::string_view& to) {
    if ((next_buffer_ + 1) * 16 > buffers_.size()) return false;
    const auto offset = at<int64_t>(buffers_.substr(next_buffer_ * 16), 0);
    const auto length = at<int64_t>(buffers_.substr(next_buffer_ * 16), 1);
    ++next_buffer_;
    const auto size = static_cast<int64_t>(body_.size());
    if (offset < 0 || length < 0 || offset > size || length > size - offset) return false;
    to = body_.substr(offset, length);
    return true;
  }

  Result<> values(Column& out, const ArrowField& field) {
    const bool offsets = field.kind == ArrowKind::utf8 || field.kind == ArrowKind::binary ||
                         field.kind == ArrowKind::list || field.kind == ArrowKind::map;
    const bool data =
        field.kind != ArrowKind::list && field.kind != ArrowKind::map && field.kind != ArrowKind::structure;
    if ((offsets && !take(out.offsets)) || (data && !take(out.data))) {
      return corrupt("a buffer of column {} lies outside of its message", field.name);
    }
    const auto size = static_cast<int64_t>(out.data.size());
    if (size < out.length * width_of(field.kind)) return corrupt("column {}: its values are cut short", field.name);
    if (field.kind == ArrowKind::boolean && size * 8 < out.length) return corrupt("column {}: cut short", field.name);
    return {};
  }

  // Offsets grow and end inside of what they point into; a struct's members are as long as it.
  static Result<> check(const Column& column) {
    const ArrowField& field = *column.field;
    if (field.kind == ArrowKind::structure) {
      for (const Column& child : column.children) {
        if (child.length < column.length) return corrupt("column {}: a member is shorter than it", field.name);
      }
      return {};
    }
    const bool texts = field.kind == ArrowKind::utf8 || field.kind == ArrowKind::binary;
    if ((!texts && field.kind != ArrowKind::list && field.kind != ArrowKind::map) || column.length == 0) return {};
    const int64_t width = field.large ? 8 : 4;
    if (static_cast<int64_t>(column.offsets.size()) < (column.length + 1) * width) {
      return corrupt("column {}: its offsets are cut short", field.name);
    }
    const int64_t end = texts ? static_cast<int64_t>(column.data.size()) : column.children[0].length;
    int64_t last = 0;
    for (int64_t i = 0; i <= column.length; ++i) {
      const int64_t offset = offset_at(column, i);
      if (offset < last || offset > end) return corrupt("column {}: its offsets point outside", field.name);
      last = offset;
    }
    return {};
  }

  std::string_view nodes_;
  std::string_view buffers_;
  std::string_view body_;
  size_t next_node_ = 0;
  size_t next_buffer_ = 0;
};

bool bit(std::string_view bits, int64_t index) { return (bits[index / 8] >> (index % 8) & 1) != 0; }

// As DuckDB makes doubles of its decimals: the whole and the fraction on their own where the digits are many.
double decimal(Int128 digits, int scale) {
  const double power = std::pow(10.0, scale);
  constexpr Int128 kExact = Int128{1} << 53;
  if (scale == 0 || (digits >= -kExact && digits <= kExact)) return static_cast<double>(digits) / power;
  Int128 whole_power = 1;
  for (int i = 0; i < scale; ++i) whole_power *= 10;
  return static_cast<double>(digits / whole_power) + static_cast<double>(digits % whole_power) / power;
}

std::string date_text(int32_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

Value cell(const Column& column, int64_t row) {
  if (!column.validity.empty() && !bit(column.validity, row)) return {};
  const ArrowField& field = *column.field;
  switch (field.kind) {
    case ArrowKind::null: return {};
    case ArrowKind::boolean: return {bit(column.data, row)};
    case ArrowKind::int8: return {int64_t{at<int8_t>(column.data, row)}};
    case ArrowKind::int16: return {int64_t{at<int16_t>(column.data, row)}};
    case ArrowKind::int32: return {int64_t{at<int32_t>(column.data, row)}};
    case ArrowKind::int64: return {at<int64_t>(column.data, row)};
    case ArrowKind::float32: return {double{at<float>(column.data, row)}};
    case ArrowKind::float64: return {at<double>(column.data, row)};
    case ArrowKind::decimal: return {decimal(at<Int128>(column.data, row), field.scale)};
    case ArrowKind::date: return {date_text(at<int32_t>(column.data, row))};
    case ArrowKind::timestamp: return {sql::Timestamp{at<int64_t>(column.data, row)}};
    case ArrowKind::utf8:
    case ArrowKind::binary: {
      const int64_t begin = offset_at(column, row);
      return {std::string(column.data.substr(begin, offset_at(column, row + 1) - begin))};
    }
    case ArrowKind::list: {
      sql::List out;
      for (int64_t i = offset_at(column, row); i < offset_at(column, row + 1); ++i) {
        out.push_back(cell(column.children[0], i));
      }
      return {std::move(out)};
    }
    case ArrowKind::map: {
      const auto& entry = column.children[0].children;
      sql::Members out;
      for (int64_t i = offset_at(column, row); i < offset_at(column, row + 1); ++i) {
        out.emplace_back(text_of(cell(entry[0], i)), cell(entry[1], i));
      }
      return {std::move(out)};
    }
    case ArrowKind::structure: break;
  }
  sql::Members out;
  for (const Column& child : column.children) out.emplace_back(child.field->name, cell(child, row));
  return {std::move(out)};
}

Result<> take_schema(sql::Table& table, const std::vector<ArrowField>& fields) {
  if (table.columns.empty()) {
    for (const ArrowField& field : fields) table.columns.push_back({field.name, type_name(field)});
    return {};
  }
  bool same = table.columns.size() == fields.size();
  for (size_t i = 0; same && i < fields.size(); ++i) {
    same = table.columns[i].name == fields[i].name && table.columns[i].type == type_name(fields[i]);
  }
  if (!same) return corrupt("a batch of rows has other columns than the one before");
  return {};
}

Result<> take_batch(sql::Table& table, const std::vector<ArrowField>& fields, const FlatTable& batch,
                    std::string_view body) {
  if (batch.table(3)) {
    return unsupported("compressed answers: set spark.sql.execution.arrow.compression.codec to none on the server");
  }
  BatchReader reader(batch, body);
  std::vector<Column> columns;
  const auto length = batch.number<int64_t>(0);
  if (length < 0 || table.rows.size() + static_cast<size_t>(length) > sql::kMaxRows) {
    return fail(Code::full, "the query answers more than {} rows", sql::kMaxRows);
  }
  for (const ArrowField& field : fields) {
    auto column = reader.column(field);
    if (!column) return pass(column.error());
    if (column->length < length) return corrupt("column {} is shorter than its batch", field.name);
    columns.push_back(std::move(*column));
  }
  for (int64_t row = 0; row < length; ++row) {
    auto& values = table.rows.emplace_back();
    values.reserve(columns.size());
    for (const Column& column : columns) values.push_back(cell(column, row));
  }
  return {};
}

}  // namespace

Result<> append_arrow(sql::Table& table, std::string_view stream) {
  std::vector<ArrowField> fields;
  bool known = false;
  while (stream.size() >= 8) {
    // Streams of Arrow before 0.15 lack the first four bytes; Spark does not write them.
    if (at<uint32_t>(stream, 0) != 0xFFFFFFFF) return corrupt("the answer of Spark is no Arrow stream");
    const auto size = at<int32_t>(stream, 1);
    if (size == 0) return {};  // the end
    stream.remove_prefix(8);
    if (size < 0 || static_cast<size_t>(size) > stream.size()) return corrupt("an Arrow message is cut short");
    bool bad = false;
    const FlatTable message = FlatTable::root(stream.substr(0, size), bad);
    const auto kind = message.number<uint8_t>(1);
    const auto length = message.number<int64_t>(3);
    const FlatTable header = message.table(2);
    const size_t left = stream.size() - size;
    if (bad || length < 0 || static_cast<uint64_t>(length) > left) return corrupt("an Arrow message is cut short");
    const std::string_view body = stream.substr(size, length);
    stream.remove_prefix(size + length);
    if (kind == kSchema) {
      auto read = read_arrow_schema(header);
      if (bad) return corrupt("an Arrow schema does not hold together");
      if (!read) return pass(read.error());
      fields = std::move(*read);
      known = true;
      if (auto taken = take_schema(table, fields); !taken) return taken;
    } else if (kind == kRecordBatch) {
      if (!known) return corrupt("an Arrow batch comes before its schema");
      auto taken = take_batch(table, fields, header, body);
      if (bad) return corrupt("an Arrow batch does not hold together");
      if (!taken) return taken;
    } else if (kind == kDictionary) {
      return unsupported("Arrow data in dictionaries");
    } else {
      return corrupt("an Arrow message of unknown kind {}", kind);
    }
  }
  return {};
}

}  // namespace pinflow::spark
