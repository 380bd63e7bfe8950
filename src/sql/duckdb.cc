#include "sql/duckdb.h"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "base/shutdown.h"
#include "sql/duckdb_impl.h"
#include "sql/vectors.h"

namespace pinflow::sql {
namespace {

constexpr auto kWatchEvery = std::chrono::milliseconds(100);
constexpr auto kNoTaskPause = std::chrono::microseconds(100);  // while DuckDB's own threads have the last tasks

class Statements {
 public:
  Statements(duckdb_connection connection, const char* sql)
      : count_(duckdb_extract_statements(connection, sql, &statements_)) {}
  ~Statements() { duckdb_destroy_extracted(&statements_); }
  Statements(const Statements&) = delete;
  idx_t count() const { return count_; }
  duckdb_extracted_statements get() const { return statements_; }
  std::string error() const {
    const char* message = duckdb_extract_statements_error(statements_);
    return message != nullptr ? message : "";
  }

 private:
  duckdb_extracted_statements statements_ = nullptr;
  idx_t count_;
};

struct Prepared {
  ~Prepared() { duckdb_destroy_prepare(&get); }
  duckdb_prepared_statement get = nullptr;
};

struct Pending {
  ~Pending() { duckdb_destroy_pending(&get); }
  duckdb_pending_result get = nullptr;
};

struct Rows {
  ~Rows() { duckdb_destroy_result(&get); }
  duckdb_result get{};
};

// The number after "\nLINE ", which DuckDB puts into the messages of parser, binder and conversion errors; 0: none.
int line_in(std::string_view message) {
  const size_t at = message.find("\nLINE ");
  if (at == std::string_view::npos) return 0;
  int line = 0;
  for (size_t i = at + 6; i < message.size() && message[i] >= '0' && message[i] <= '9'; ++i) {
    line = line * 10 + (message[i] - '0');
  }
  return line;
}

Code code_of(duckdb_error_type kind, std::string_view message) {
  switch (kind) {
    case DUCKDB_ERROR_INTERRUPT: return Code::cancelled;
    case DUCKDB_ERROR_OUT_OF_MEMORY: return Code::full;
    case DUCKDB_ERROR_PERMISSION: return Code::denied;
    case DUCKDB_ERROR_NOT_IMPLEMENTED: return Code::unsupported;
    case DUCKDB_ERROR_IO:
      if (message.find("No space left") != std::string_view::npos) return Code::full;
      if (message.find("No files found") != std::string_view::npos) return Code::not_found;
      if (message.find("No such file") != std::string_view::npos) return Code::not_found;
      return Code::unavailable;
    default: return Code::invalid;
  }
}

// The API's prepare and extract errors carry no kind: it is the message's first words.
duckdb_error_type kind_in(std::string_view message) {
  if (message.starts_with("IO Error")) return DUCKDB_ERROR_IO;
  if (message.starts_with("Out of Memory Error")) return DUCKDB_ERROR_OUT_OF_MEMORY;
  if (message.starts_with("INTERRUPT Error")) return DUCKDB_ERROR_INTERRUPT;
  if (message.starts_with("Not implemented Error")) return DUCKDB_ERROR_NOT_IMPLEMENTED;
  if (message.starts_with("Permission Error")) return DUCKDB_ERROR_PERMISSION;
  return DUCKDB_ERROR_INVALID;
}

// Runs tasks on this thread beside DuckDB's own until the result is there, looking at the watch now and then.
duckdb_pending_state work(Connection::Impl& session, duckdb_pending_result pending) {
  auto next_look = std::chrono::steady_clock::now() + kWatchEvery;
  for (;;) {
    const duckdb_pending_state state = duckdb_pending_execute_task(pending);
    if (duckdb_pending_execution_is_finished(state) || state == DUCKDB_PENDING_ERROR) return state;
    if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) std::this_thread::sleep_for(kNoTaskPause);
    if (const auto now = std::chrono::steady_clock::now(); now >= next_look) {
      next_look = now + kWatchEvery;
      bool go_on = !stop_requested();
      if (session.watch) {
        const double percent = duckdb_query_progress(session.connection).percentage;
        go_on = session.watch(percent < 0 ? -1 : percent / 100);
      }
      if (!go_on) duckdb_interrupt(session.connection);
    }
  }
}

Result<> run_one(Connection::Impl& session, const Statements& statements, idx_t index, const Origin& origin,
                 Rows& rows) {
  Prepared prepared;
  if (duckdb_prepare_extracted_statement(session.connection, statements.get(), index, &prepared.get) == DuckDBError) {
    const char* message = duckdb_prepare_error(prepared.get);
    const std::string text = message != nullptr ? message : "DuckDB could not prepare the statement";
    return std::unexpected(error_of(kind_in(text), text, origin));
  }
  Pending pending;
  if (duckdb_pending_prepared(prepared.get, &pending.get) == DuckDBError) {
    const std::string text = duckdb_pending_error(pending.get);
    return std::unexpected(error_of(kind_in(text), text, origin));
  }
  if (work(session, pending.get) == DUCKDB_PENDING_ERROR) {
    const std::string text = duckdb_pending_error(pending.get);
    return std::unexpected(error_of(kind_in(text), text, origin));
  }
  if (duckdb_execute_pending(pending.get, &rows.get) == DuckDBError) {
    return std::unexpected(error_of(duckdb_result_error_type(&rows.get), duckdb_result_error(&rows.get), origin));
  }
  return {};
}

Result<> run_all(Connection::Impl& session, std::string_view sql, const Origin& origin, std::unique_ptr<Rows>& last) {
  const std::string text(sql);
  if (text.find('\0') != std::string::npos) return invalid("{}: a NUL byte in the SQL text", origin.file);
  const Statements statements(session.connection, text.c_str());
  if (const std::string message = statements.error(); !message.empty()) {
    return std::unexpected(error_of(kind_in(message), message, origin));
  }
  for (idx_t i = 0; i < statements.count(); ++i) {
    auto rows = std::make_unique<Rows>();
    if (auto done = run_one(session, statements, i, origin, *rows); !done) return done;
    last = std::move(rows);
  }
  return {};
}

Result<Table> table_of(duckdb_result& result) {
  Table table;
  for (idx_t c = 0; c < duckdb_column_count(&result); ++c) {
    duckdb_logical_type type = duckdb_column_logical_type(&result, c);
    table.columns.push_back({duckdb_column_name(&result, c), type_name(type)});
    duckdb_destroy_logical_type(&type);
  }
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
    auto appended = append_chunk(table, chunk);
    duckdb_destroy_data_chunk(&chunk);
    if (!appended) return pass(appended.error());
    if (table.rows.size() > kMaxRows) return fail(Code::full, "the query answers more than {} rows", kMaxRows);
  }
  return table;
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

Error error_of(duckdb_error_type kind, std::string_view message, const Origin& origin) {
  Error error{code_of(kind, message), std::string(message)};
  if (origin.file.empty()) return error;
  const int line = line_in(message);
  // A text that ends too early is found wanting behind it, or nowhere: that is its last line.
  const bool parsing = message.starts_with("Parser Error");
  const bool behind = line > 0 && line - origin.first_line >= origin.lines;
  const bool early = parsing && (behind || (line == 0 && message.contains("at end of input")));
  if (early && origin.lines != std::numeric_limits<int>::max())
    return error.within(fmt::format("{}:{}", origin.file, origin.lines));
  if (behind || line < origin.first_line) return error.within(origin.file);
  const int of_user = line - origin.first_line + 1;
  const std::string shown = std::to_string(line);
  error.message.replace(error.message.find("\nLINE ") + 6, shown.size(), std::to_string(of_user));
  return error.within(fmt::format("{}:{}", origin.file, of_user));
}

Database::Impl::~Impl() {
  if (database != nullptr) duckdb_close(&database);
}

Connection::Impl::~Impl() {
  if (connection != nullptr) duckdb_disconnect(&connection);
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<> Connection::execute(std::string_view sql, const Origin& origin) {
  std::unique_ptr<Rows> last;
  return run_all(*impl_, sql, origin, last);
}

Result<Table> Connection::query(std::string_view sql, const Origin& origin) {
  std::unique_ptr<Rows> last;
  if (auto done = run_all(*impl_, sql, origin, last); !done) return pass(done.error());
  if (last == nullptr) return Table{};
  auto table = table_of(last->get);
  if (!table && !origin.file.empty()) return pass(table.error(), "{}", origin.file);
  return table;
}

Result<Value> Connection::value(std::string_view sql, const Origin& origin) {
  auto table = query(sql, origin);
  if (!table) return pass(table.error());
  if (table->rows.size() != 1 || table->columns.size() != 1) {
    return invalid("one cell was expected, not {} rows of {} columns", table->rows.size(), table->columns.size());
  }
  return std::move(table->rows[0][0]);
}

void Connection::watch(Watch watch) { impl_->watch = std::move(watch); }

void Connection::interrupt() { duckdb_interrupt(impl_->connection); }

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) == DuckDBError) return fail(Code::full, "DuckDB: no memory for its configuration");
  const std::string memory = fmt::format("{}B", options.memory_bytes);
  const auto threads = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  duckdb_set_config(config, "memory_limit", memory.c_str());
  duckdb_set_config(config, "threads", std::to_string(threads).c_str());
  duckdb_set_config(config, "temp_directory", options.spill.c_str());
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  duckdb_set_config(config, "preserve_insertion_order", "false");
  auto impl = std::make_unique<Impl>();
  char* message = nullptr;
  const duckdb_state opened = duckdb_open_ext(nullptr, &impl->database, config, &message);
  duckdb_destroy_config(&config);
  if (opened == DuckDBError) {
    const std::string text = message != nullptr ? message : "unknown";
    duckdb_free(message);
    return invalid("DuckDB could not be opened: {}", text);
  }
  auto database = std::unique_ptr<Database>(new Database(std::move(impl)));
  auto connection = database->connect();
  if (!connection) return pass(connection.error());
  if (auto set = connection->execute("SET GLOBAL TimeZone = 'UTC'"); !set) return pass(set.error());
  if (auto known = register_rows(connection->impl_->connection, database->impl_->sources); !known) {
    return pass(known.error());
  }
  return database;
}

Result<Connection> Database::connect() {
  auto impl = std::make_unique<Connection::Impl>();
  if (duckdb_connect(impl_->database, &impl->connection) == DuckDBError) {
    return fail(Code::full, "DuckDB: no memory for another connection");
  }
  return Connection(std::move(impl));
}

std::string quote_text(std::string_view text) {
  const size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return quoted(text, '\'');
  return "(" + quoted(text.substr(0, nul), '\'') + " || chr(0) || " + quote_text(text.substr(nul + 1)) + ")";
}

std::string quote_name(std::string_view name) { return quoted(name, '"'); }

std::string quote_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ", ";
    out += quote_text(text);
  }
  return out + "]";
}

}  // namespace pinflow::sql
