#include "sql/row_source.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <utility>

#include "sql/duckdb_impl.h"

namespace pinflow::sql {
namespace {

// What one use of pinflow_rows in a statement holds, in DuckDB's keeping.
struct Bound {
  std::shared_ptr<RowSource> source;
};

struct Scanning {
  std::shared_ptr<RowSource> source;
  std::unique_ptr<RowScan> scan;
  std::vector<idx_t> wanted;  // the source's column of each output column; at or beyond the end: a row number, unused
};

template <class T>
void destroy(void* data) {
  delete static_cast<T*>(data);
}

void bind(duckdb_bind_info info) {
  auto& sources = *static_cast<Sources*>(duckdb_bind_get_extra_info(info));
  duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
  char* text = duckdb_get_varchar(parameter);
  const std::string name = text != nullptr ? text : "";
  duckdb_free(text);
  duckdb_destroy_value(&parameter);
  auto source = sources.find(name);
  if (source == nullptr) {
    duckdb_bind_set_error(info, fmt::format("pinflow_rows: there is no source '{}'", name).c_str());
    return;
  }
  for (const SourceColumn& column : source->columns()) {
    const bool is_text = column.kind == SourceColumn::Kind::text;
    duckdb_logical_type type = duckdb_create_logical_type(is_text ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_BIGINT);
    duckdb_bind_add_result_column(info, column.name.c_str(), type);
    duckdb_destroy_logical_type(&type);
  }
  duckdb_bind_set_cardinality(info, static_cast<idx_t>(source->about()), false);
  duckdb_bind_set_bind_data(info, new Bound{std::move(source)}, destroy<Bound>);
}

void begin_scan(duckdb_init_info info) {
  auto& source = static_cast<Bound*>(duckdb_init_get_bind_data(info))->source;
  auto scanning = std::make_unique<Scanning>();
  scanning->source = source;
  std::vector<bool> wants(source->columns().size());
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    const idx_t column = duckdb_init_get_column_index(info, i);
    scanning->wanted.push_back(column);
    if (column < wants.size()) wants[column] = true;
  }
  auto scan = source->scan(wants);
  if (!scan) {
    duckdb_init_set_error(info, scan.error().message.c_str());
    return;
  }
  scanning->scan = std::move(*scan);
  duckdb_init_set_max_threads(info, source->most_readers());
  duckdb_init_set_init_data(info, scanning.release(), destroy<Scanning>);
}

void begin_reader(duckdb_init_info info) {
  // The global state cannot be reached from here: the reader is made at the first call of read.
  duckdb_init_set_init_data(info, new std::unique_ptr<RowReader>(), destroy<std::unique_ptr<RowReader>>);
}

void read(duckdb_function_info info, duckdb_data_chunk output) {
  auto& scanning = *static_cast<Scanning*>(duckdb_function_get_init_data(info));
  auto& reader = *static_cast<std::unique_ptr<RowReader>*>(duckdb_function_get_local_init_data(info));
  if (reader == nullptr) reader = scanning.scan->reader();
  std::vector<RowChunk::Slot> slots(scanning.source->columns().size());
  for (idx_t i = 0; i < scanning.wanted.size(); ++i) {
    if (scanning.wanted[i] >= slots.size()) continue;
    const duckdb_vector vector = duckdb_data_chunk_get_vector(output, i);
    duckdb_vector_ensure_validity_writable(vector);
    slots[scanning.wanted[i]] = {vector, duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector)};
  }
  RowChunk chunk(std::move(slots));
  const auto rows = reader->fill(chunk);
  if (!rows) {
    duckdb_function_set_error(info, rows.error().message.c_str());
    duckdb_data_chunk_set_size(output, 0);
    return;
  }
  duckdb_data_chunk_set_size(output, *rows);
}

}  // namespace

void RowChunk::set_text(size_t column, size_t row, std::string_view text) {
  const Slot& slot = slots_[column];
  if (slot.data == nullptr) return;
  auto& target = static_cast<duckdb_string_t*>(slot.data)[row];
  if (text.size() > sizeof target.value.inlined.inlined) {
    duckdb_unsafe_vector_assign_string_element_len(static_cast<duckdb_vector>(slot.vector), row, text.data(),
                                                   text.size());
    return;
  }
  target = {};
  target.value.inlined.length = static_cast<uint32_t>(text.size());
  std::memcpy(target.value.inlined.inlined, text.data(), text.size());
}

void RowChunk::set_integer(size_t column, size_t row, int64_t value) {
  const Slot& slot = slots_[column];
  if (slot.data != nullptr) static_cast<int64_t*>(slot.data)[row] = value;
}

void RowChunk::set_null(size_t column, size_t row) {
  const Slot& slot = slots_[column];
  if (slot.data != nullptr) slot.validity[row / 64] &= ~(uint64_t{1} << (row % 64));
}

std::shared_ptr<RowSource> Sources::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(name);
  return found == sources_.end() ? nullptr : found->second;
}

void Sources::put(const std::string& name, std::shared_ptr<RowSource> source) {
  const std::lock_guard lock(mutex_);
  sources_[name] = std::move(source);
}

void Sources::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  sources_.erase(name);
}

Result<> register_rows(duckdb_connection connection, Sources& sources) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_table_function_set_name(function, "pinflow_rows");
  duckdb_table_function_add_parameter(function, text);
  duckdb_table_function_set_extra_info(function, &sources, nullptr);
  duckdb_table_function_set_bind(function, bind);
  duckdb_table_function_set_init(function, begin_scan);
  duckdb_table_function_set_local_init(function, begin_reader);
  duckdb_table_function_set_function(function, read);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const duckdb_state state = duckdb_register_table_function(connection, function);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_table_function(&function);
  if (state == DuckDBError) return invalid("DuckDB did not take the table function pinflow_rows");
  return {};
}

void put_source(Database& database, const std::string& name, std::shared_ptr<RowSource> source) {
  database.impl().sources.put(name, std::move(source));
}

void drop_source(Database& database, const std::string& name) { database.impl().sources.drop(name); }

}  // namespace pinflow::sql
