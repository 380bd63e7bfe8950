#include "connect/parquet.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>

#include "base/files.h"
#include "sql/duckdb.h"

namespace pinflow::connect {
namespace {

namespace fs = std::filesystem;
namespace ondemand = simdjson::ondemand;

constexpr int64_t kMemoryBytes = 256 << 20;
constexpr int kRowsOfAGroup = 122'880;
constexpr int kMostBytesOfALine = 32 << 20;  // the gate's limit, and room to spare

bool is_of(ondemand::value value, const std::string& type) {
  ondemand::json_type kind;
  if (value.type().get(kind)) return false;
  if (kind == ondemand::json_type::null || type == "VARCHAR") return true;
  if (type == "BOOLEAN") return kind == ondemand::json_type::boolean;
  if (kind != ondemand::json_type::number) return false;
  if (type == "DOUBLE") {
    double number = 0;
    return !value.get_double().get(number);
  }
  int64_t number = 0;
  return !value.get_int64().get(number);
}

}  // namespace

bool is_column_type(std::string_view type) {
  return type == "BIGINT" || type == "DOUBLE" || type == "BOOLEAN" || type == "VARCHAR";
}

std::expected<void, std::string> fits(const std::vector<Column>& columns, std::string_view compact_json) {
  thread_local ondemand::parser parser;
  const simdjson::padded_string padded(compact_json);
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object))
    return std::unexpected("no JSON object, and the schema has columns");
  for (auto field : object) {
    std::string_view name;
    ondemand::value value;
    if (field.unescaped_key().get(name) || field.value().get(value)) return std::unexpected("no JSON object");
    const std::string kept(name);
    const auto column = std::ranges::find(columns, kept, &Column::name);
    if (column == columns.end()) return std::unexpected(fmt::format("the field {} is not in the schema", kept));
    if (!is_of(value, column->type)) return std::unexpected(fmt::format("the field {} is no {}", kept, column->type));
  }
  return {};
}

struct ParquetMaker::State {
  std::vector<Column> columns;
  std::string codec;
  std::mutex mutex;  // of what follows
  fs::path folder;
  std::unique_ptr<sql::Database> database;
  std::optional<sql::Connection> connection;

  Result<> open() {
    std::string name = (fs::temp_directory_path() / "pinflow-parquet-XXXXXX").string();
    if (!::mkdtemp(name.data())) return system_error(errno, "mkdtemp " + name);
    folder = name;
    // One thread: rows in the order of the lines, and the same groups each time.
    auto opened = sql::Database::open({.memory_bytes = kMemoryBytes, .threads = 1});
    if (!opened) return pass(opened.error());
    database = std::move(*opened);
    auto connected = database->connect();
    if (!connected) return pass(connected.error());
    connection.emplace(std::move(*connected));
    return {};
  }

  ~State() {
    connection.reset();
    database.reset();
    std::error_code ignored;
    if (!folder.empty()) fs::remove_all(folder, ignored);
  }
};

ParquetMaker::ParquetMaker(std::vector<Column> columns, std::string codec)
    : state_(std::make_unique<State>(std::move(columns), std::move(codec))) {}
ParquetMaker::~ParquetMaker() = default;

Result<std::string> ParquetMaker::make(std::string_view lines) {
  std::lock_guard lock(state_->mutex);
  if (!state_->connection)
    if (auto opened = state_->open(); !opened) return pass(opened.error());
  const fs::path from = state_->folder / "lines.json", to = state_->folder / "object.parquet";
  {
    std::ofstream file(from, std::ios::binary);
    file.write(lines.data(), static_cast<std::streamsize>(lines.size()));
    if (!file.flush()) return fail(Code::full, "{} cannot be written", from.string());
  }
  std::string types, names;
  for (const Column& column : state_->columns) {
    types += fmt::format("{}{}: '{}'", types.empty() ? "" : ", ", sql::quote_text(column.name), column.type);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", sql::quote_name(column.name));
  }
  const std::string codec = state_->codec == "none" ? "uncompressed" : state_->codec;
  auto made = state_->connection->execute(fmt::format(
      "COPY (SELECT {} FROM read_json({}, format = 'newline_delimited', columns = {{{}}}, maximum_object_size = {})) "
      "TO {} (FORMAT parquet, COMPRESSION {}, ROW_GROUP_SIZE {})",
      names, sql::quote_text(from.string()), types, kMostBytesOfALine, sql::quote_text(to.string()),
      sql::quote_text(codec), kRowsOfAGroup));
  if (!made) return pass(made.error(), "a Parquet object");
  return read_file(to);
}

}  // namespace pinflow::connect
