#include "connect/parquet.h"

#include <simdjson.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "base/files.h"
#include "sql/duckdb.h"

namespace pinflow::connect {
namespace {

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

// A file without a name, gone with its last user; DuckDB opens it by its number.
class MemoryFile {
 public:
  static Result<MemoryFile> make(const char* what) {
    const int fd = ::memfd_create(what, MFD_CLOEXEC);
    if (fd < 0) return system_error(errno, "memfd_create");
    return MemoryFile(fd);
  }
  MemoryFile(MemoryFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

  Result<> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error(errno, "write to a file in memory");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}
  int fd_;
};

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
  std::string codec;
  std::mutex mutex;  // of what follows
  std::unique_ptr<sql::Database> database;
  std::optional<sql::Connection> connection;

  Result<> open() {
    // One thread: rows in the order of the lines, and the same groups each time.
    auto opened = sql::Database::open({.memory_bytes = kMemoryBytes, .threads = 1, .spill = {}});
    if (!opened) return pass(opened.error());
    database = std::move(*opened);
    auto connected = database->connect();
    if (!connected) return pass(connected.error());
    connection.emplace(std::move(*connected));
    connection->watch([](double) { return true; });
    return {};
  }
};

ParquetMaker::ParquetMaker(std::string codec) : state_(std::make_unique<State>(std::move(codec))) {}
ParquetMaker::~ParquetMaker() = default;

Result<std::string> ParquetMaker::make(const std::vector<Column>& columns, std::string_view lines) {
  std::lock_guard lock(state_->mutex);
  if (!state_->connection)
    if (auto opened = state_->open(); !opened) return pass(opened.error());
  auto from = MemoryFile::make("lines"), to = MemoryFile::make("object");
  if (!from) return pass(from.error());
  if (!to) return pass(to.error());
  if (auto written = from->write(lines); !written) return pass(written.error());
  std::string types, names;
  for (const Column& column : columns) {
    types += fmt::format("{}{}: '{}'", types.empty() ? "" : ", ", sql::quote_text(column.name), column.type);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", sql::quote_name(column.name));
  }
  const std::string codec = state_->codec == "none" ? "uncompressed" : state_->codec;
  auto made = state_->connection->execute(fmt::format(
      "COPY (SELECT {} FROM read_json({}, format = 'newline_delimited', compression = 'uncompressed', columns = "
      "{{{}}}, "
      "maximum_object_size = {})) TO {} (FORMAT parquet, COMPRESSION {}, ROW_GROUP_SIZE {}, USE_TMP_FILE false)",
      names, sql::quote_text(from->path()), types, kMostBytesOfALine, sql::quote_text(to->path()),
      sql::quote_text(codec), kRowsOfAGroup));
  if (!made) return pass(made.error(), "a Parquet object");
  return read_file(to->path());
}

}  // namespace pinflow::connect
