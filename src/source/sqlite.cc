// The source tables in an SQLite file.
#include <sqlite3.h>

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "source/database.h"

namespace pinflow::source {
namespace {

using pipeline::SourceType;

constexpr int busy_wait_ms = 10'000;  // how long a statement waits for another process that writes

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

Code code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL: return Code::full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::unavailable;
    case SQLITE_CANTOPEN: return Code::not_found;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return Code::denied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::corrupt;
    default: return Code::invalid;
  }
}

std::unexpected<Error> sqlite_error(sqlite3* db, const std::string& where) {
  return fail(code_of(sqlite3_extended_errcode(db)), "{}: {}", where, sqlite3_errmsg(db));
}

Result<Statement> prepare(sqlite3* db, const std::string& where, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db, sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return sqlite_error(db, where);
  }
  return Statement(statement);
}

// The type's name in CREATE TABLE: chosen so that SQLite's affinity leaves every value as it was put.
std::string_view declared(SourceType type) {
  switch (type) {
    case SourceType::integer: return "INTEGER";
    case SourceType::bigint: return "INTEGER";
    case SourceType::float_: return "FLOAT";
    case SourceType::double_: return "DOUBLE";
    case SourceType::text: return "TEXT";
    case SourceType::datetime: return "DATETIME TEXT";
  }
  std::abort();
}

std::string_view text_of(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return {bytes == nullptr ? "" : bytes, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

class SqliteWriter : public RowWriter {
 public:
  SqliteWriter(sqlite3* db, std::string where, Statement insert)
      : db_(db), where_(std::move(where)), insert_(std::move(insert)) {}

  Result<> put(const Row& row) override {
    int position = 0;
    for (const Value& value : row) {
      ++position;
      switch (value.kind) {
        case Value::Kind::null: sqlite3_bind_null(insert_.get(), position); break;
        case Value::Kind::integer: sqlite3_bind_int64(insert_.get(), position, value.integer); break;
        case Value::Kind::real: sqlite3_bind_double(insert_.get(), position, value.real); break;
        case Value::Kind::text:
          sqlite3_bind_text64(insert_.get(), position, value.text.data(), value.text.size(), SQLITE_STATIC,
                              SQLITE_UTF8);
          break;
      }
    }
    const int code = sqlite3_step(insert_.get());
    if (code != SQLITE_DONE) {
      const auto error = sqlite_error(db_, where_);
      sqlite3_reset(insert_.get());
      return error;
    }
    sqlite3_reset(insert_.get());
    return {};
  }
  Result<> flush() override { return {}; }

 private:
  sqlite3* db_;
  std::string where_;
  Statement insert_;
};

class SqliteReader : public RowReader {
 public:
  SqliteReader(sqlite3* db, std::string where, Statement one, Statement range, int key_column)
      : db_(db), where_(std::move(where)), one_(std::move(one)), range_(std::move(range)), key_column_(key_column) {
    for (int i = 0; i < sqlite3_column_count(one_.get()); ++i) {
      names_.push_back((i == 0 ? "{" : ",") + json_string(sqlite3_column_name(one_.get(), i)) + ":");
    }
  }

  Result<bool> append_row(int64_t key, std::string& json) override {
    sqlite3_bind_int64(one_.get(), 1, key);
    const int code = sqlite3_step(one_.get());
    if (code == SQLITE_ROW) append(one_.get(), json);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
      const auto error = sqlite_error(db_, where_);
      sqlite3_reset(one_.get());
      return error;
    }
    sqlite3_reset(one_.get());
    return code == SQLITE_ROW;
  }

  Result<> each_row(int64_t first, int64_t last, const Each& each) override {
    sqlite3_bind_int64(range_.get(), 1, first);
    sqlite3_bind_int64(range_.get(), 2, last);
    std::string json;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(range_.get())) == SQLITE_ROW) {
      json.clear();
      append(range_.get(), json);
      each(sqlite3_column_int64(range_.get(), key_column_), json);
    }
    if (code != SQLITE_DONE) {
      const auto error = sqlite_error(db_, where_);
      sqlite3_reset(range_.get());
      return error;
    }
    sqlite3_reset(range_.get());
    return {};
  }

 private:
  void append(sqlite3_stmt* statement, std::string& json) {
    for (int i = 0; i < static_cast<int>(names_.size()); ++i) {
      json += names_[static_cast<size_t>(i)];
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_NULL: json += "null"; break;
        case SQLITE_INTEGER: fmt::format_to(std::back_inserter(json), "{}", sqlite3_column_int64(statement, i)); break;
        case SQLITE_FLOAT: append_real(json, sqlite3_column_double(statement, i)); break;
        default: append_json_string(json, text_of(statement, i));
      }
    }
    json += '}';
  }

  sqlite3* db_;
  std::string where_;
  Statement one_, range_;
  int key_column_;
  std::vector<std::string> names_;  // `{"index":`, `,"unique_id":`, …
};

class Sqlite : public Database {
 public:
  Sqlite(Handle db, std::string where) : db_(std::move(db)), where_(std::move(where)) {}

  Result<> create(const Table& table) override {
    std::string sql = fmt::format("CREATE TABLE IF NOT EXISTS {} (", sql_name(table.name));
    for (const auto& column : table.columns) {
      sql += fmt::format("{} {}{}, ", sql_name(column.name), declared(column.type),
                         column.name == table.key ? " NOT NULL" : "");
    }
    return run(sql + fmt::format("PRIMARY KEY ({}))", sql_name(table.key)));
  }
  Result<> begin() override { return run("BEGIN IMMEDIATE"); }
  Result<> commit() override { return run("COMMIT"); }
  Result<> clear(const Table& table) override { return run("DELETE FROM " + sql_name(table.name)); }

  Result<> begin_reading() override {
    if (!begin_) {
      auto begin = prepare(db_.get(), where_, "BEGIN");
      if (!begin) return pass(begin.error());
      auto end = prepare(db_.get(), where_, "COMMIT");
      if (!end) return pass(end.error());
      begin_ = std::move(*begin);
      end_ = std::move(*end);
    }
    const int code = sqlite3_step(begin_.get());
    if (code != SQLITE_DONE) return sqlite_error(db_.get(), where_);
    sqlite3_reset(begin_.get());
    return {};
  }
  void end_reading() override {  // of a transaction that only read, so it cannot fail
    sqlite3_step(end_.get());
    sqlite3_reset(end_.get());
  }

  Result<bool> exists(const Table& table) override {
    auto statement =
        prepare(db_.get(), where_, "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?");
    if (!statement) return pass(statement.error());
    sqlite3_bind_text(statement->get(), 1, table.name.c_str(), -1, SQLITE_STATIC);
    const int code = sqlite3_step(statement->get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) return sqlite_error(db_.get(), where_);
    return code == SQLITE_ROW;
  }

  Result<int64_t> count(const Table& table) override {
    auto statement = prepare(db_.get(), where(table), "SELECT count(*) FROM " + sql_name(table.name));
    if (!statement) return pass(statement.error());
    if (sqlite3_step(statement->get()) != SQLITE_ROW) return sqlite_error(db_.get(), where(table));
    return sqlite3_column_int64(statement->get(), 0);
  }

  Result<> each_key(const Table& table, const std::function<void(int64_t)>& each) override {
    auto statement = prepare(db_.get(), where(table),
                             fmt::format("SELECT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY {0}", sql_name(table.key),
                                         sql_name(table.name)));
    if (!statement) return pass(statement.error());
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement->get())) == SQLITE_ROW) {
      if (sqlite3_column_type(statement->get(), 0) != SQLITE_INTEGER) {
        return invalid("{}: the key '{}' holds '{}', which is no whole number", where(table), table.key,
                       text_of(statement->get(), 0));
      }
      each(sqlite3_column_int64(statement->get(), 0));
    }
    if (code != SQLITE_DONE) return sqlite_error(db_.get(), where(table));
    return {};
  }

  Result<std::unique_ptr<RowWriter>> writer(const Table& table) override {
    std::string names, marks;
    for (const auto& column : table.columns) {
      names += (names.empty() ? "" : ", ") + sql_name(column.name);
      marks += marks.empty() ? "?" : ", ?";
    }
    auto insert =
        prepare(db_.get(), where(table),
                fmt::format("INSERT OR REPLACE INTO {} ({}) VALUES ({})", sql_name(table.name), names, marks));
    if (!insert) return pass(insert.error());
    return std::make_unique<SqliteWriter>(db_.get(), where(table), std::move(*insert));
  }

  Result<std::unique_ptr<RowReader>> reader(const Table& table) override {
    const std::string name = sql_name(table.name), key = sql_name(table.key);
    auto one = prepare(db_.get(), where(table), fmt::format("SELECT * FROM {} WHERE {} = ? LIMIT 1", name, key));
    if (!one) return pass(one.error());
    auto range = prepare(db_.get(), where(table),
                         fmt::format("SELECT * FROM {} WHERE {} BETWEEN ? AND ? ORDER BY {}", name, key, key));
    if (!range) return pass(range.error());
    int key_column = 0;
    while (key_column + 1 < sqlite3_column_count(range->get()) &&
           table.key != sqlite3_column_name(range->get(), key_column)) {
      ++key_column;
    }
    return std::make_unique<SqliteReader>(db_.get(), where(table), std::move(*one), std::move(*range), key_column);
  }

 private:
  std::string where(const Table& table) const { return fmt::format("{}, table {}", where_, table.name); }

  Result<> run(const std::string& sql) {
    if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      return sqlite_error(db_.get(), where_);
    return {};
  }

  Handle db_;
  std::string where_;
  Statement begin_, end_;  // finalized before the database is closed
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SourceUrl& url, Database::Access access) {
  const std::string where = url.redacted();
  std::error_code ignored;
  const bool read = access == Database::Access::read;
  if (read && !std::filesystem::exists(url.file, ignored)) {
    return not_found("{}: there is no such file; make it with `pinflow source generate`, or name another with --source",
                     where);
  }
  if (!read && url.file.has_parent_path()) {
    if (auto made = make_folders(url.file.parent_path()); !made) return pass(made.error());
  }
  // Each connection is used by one thread at a time, so SQLite's own mutexes are left out.
  const int flags = SQLITE_OPEN_NOMUTEX | (read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(url.file.c_str(), &raw, flags, nullptr);
  Handle db(raw);
  if (code != SQLITE_OK)
    return raw == nullptr ? fail(Code::full, "{}: out of memory", where) : sqlite_error(raw, where);
  sqlite3_busy_timeout(raw, busy_wait_ms);
  const char* settings = access == Database::Access::fresh
                             ? "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; "
                               "PRAGMA cache_size = -32768"
                             : "PRAGMA cache_size = -16384; SELECT count(*) FROM sqlite_master";  // is it a database?
  if (sqlite3_exec(raw, settings, nullptr, nullptr, nullptr) != SQLITE_OK) return sqlite_error(raw, where);
  return std::make_unique<Sqlite>(std::move(db), where);
}

}  // namespace pinflow::source
