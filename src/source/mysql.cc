// The source tables in a MySQL or MariaDB database, by libmariadb.
//
// Rows are read by prepared statements, as only their binary protocol gives a FLOAT with all its bits: the text
// protocol rounds it to six digits.
#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <charconv>
#include <cstring>

#include "base/json.h"
#include "source/database.h"
#include "source/mysql_row.h"

namespace pinflow::source {
namespace {

using pipeline::SourceType;

constexpr unsigned connect_timeout_s = 10;
constexpr unsigned answer_timeout_s = 60;  // of one read or write on the connection

struct Close {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using Connection = std::unique_ptr<MYSQL, Close>;
using ResultSet = std::unique_ptr<MYSQL_RES, Close>;

std::unexpected<Error> mysql_failure(MYSQL* connection, const std::string& where) {
  return fail(mysql_code(mysql_errno(connection)), "{}: {}", where, mysql_error(connection));
}

Result<> run(MYSQL* connection, const std::string& where, const std::string& sql) {
  if (mysql_real_query(connection, sql.data(), sql.size()) != 0) return mysql_failure(connection, where);
  return {};
}

std::string_view declared(SourceType type) {
  switch (type) {
    case SourceType::integer: return "INT";
    case SourceType::bigint: return "BIGINT";
    case SourceType::float_: return "FLOAT";
    case SourceType::double_: return "DOUBLE";
    case SourceType::text: return "LONGTEXT";
    case SourceType::datetime: return "DATETIME";
  }
  std::abort();
}

class MysqlWriter : public RowWriter {
 public:
  MysqlWriter(MYSQL* connection, std::string where, const Table& table)
      : connection_(connection), where_(std::move(where)) {
    head_ = fmt::format("REPLACE INTO {} (", sql_name(table.name));
    for (size_t i = 0; i < table.columns.size(); ++i) {
      head_ += (i == 0 ? "" : ", ") + sql_name(table.columns[i].name);
      if (table.columns[i].name == table.key) key_column_ = i;
    }
    head_ += ") VALUES ";
  }

  Result<> put(const Row& row) override {
    std::string text = "(";
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += ',';
      append(text, row[i]);
    }
    text += ')';
    bytes_ += text.size();
    rows_.emplace_back(row[key_column_].integer, std::move(text));
    if (rows_.size() >= max_batch_rows || bytes_ >= max_batch_bytes) return flush();
    return {};
  }

  Result<> flush() override {
    if (rows_.empty()) return {};
    std::string sql = head_;
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (i > 0) sql += ',';
      sql += rows_[i].second;
    }
    Result<> done = run(connection_, where_, sql);
    if (!done && done.error().code == Code::invalid && rows_.size() > 1) done = find_bad_row(done.error());
    else if (!done)
      done = pass(done.error(), "the row with the key {} (of {} rows sent at once)", rows_[0].first, rows_.size());
    rows_.clear();
    bytes_ = 0;
    return done;
  }

 private:
  // The server names a column but not the row: each goes alone, up to the one that fails.
  Result<> find_bad_row(const Error& of_all) {
    for (const auto& [key, text] : rows_) {
      if (auto alone = run(connection_, where_, head_ + text); !alone)
        return pass(alone.error(), "the row with the key {}", key);
    }
    return std::unexpected(of_all);
  }

  void append(std::string& to, const Value& value) {
    switch (value.kind) {
      case Value::Kind::null: to += "NULL"; return;
      case Value::Kind::integer: fmt::format_to(std::back_inserter(to), "{}", value.integer); return;
      case Value::Kind::real: append_real(to, value.real); return;
      case Value::Kind::text: {
        const size_t before = to.size();
        to.resize(before + 2 * value.text.size() + 3);
        to[before] = '\'';
        const unsigned long length = mysql_real_escape_string(connection_, to.data() + before + 1, value.text.data(),
                                                              static_cast<unsigned long>(value.text.size()));
        to.resize(before + 1 + length);
        to += '\'';
        return;
      }
    }
  }

  MYSQL* connection_;
  std::string where_, head_;
  size_t key_column_ = 0, bytes_ = 0;
  std::vector<std::pair<int64_t, std::string>> rows_;  // key, "(…)"
};

class MysqlReader : public RowReader {
 public:
  MysqlReader(std::unique_ptr<MysqlRows> one, std::unique_ptr<MysqlRows> range)
      : one_(std::move(one)), range_(std::move(range)) {}

  Result<bool> append_row(int64_t key, std::string& json) override {
    const int64_t keys[] = {key};
    if (auto started = one_->start(keys); !started) return pass(started.error());
    const auto found = one_->next(json);
    if (found && *found) one_->stop();
    return found;
  }

  Result<> each_row(int64_t first, int64_t last, const Each& each) override {
    const int64_t keys[] = {first, last};
    if (auto started = range_->start(keys); !started) return started;
    std::string json;
    for (;;) {
      json.clear();
      const auto more = range_->next(json);
      if (!more) return pass(more.error());
      if (!*more) return {};
      each(range_->key(), json);
    }
  }

 private:
  std::unique_ptr<MysqlRows> one_, range_;
};

class Mysql : public Database {
 public:
  Mysql(Connection connection, std::string where) : connection_(std::move(connection)), where_(std::move(where)) {}

  Result<> create(const Table& table) override {
    std::string sql = fmt::format("CREATE TABLE IF NOT EXISTS {} (", sql_name(table.name));
    for (const auto& column : table.columns) {
      sql += fmt::format("{} {}{}, ", sql_name(column.name), declared(column.type),
                         column.name == table.key ? " NOT NULL" : "");
    }
    sql += fmt::format("PRIMARY KEY ({})) CHARACTER SET utf8mb4", sql_name(table.key));
    if (auto made = run(connection_.get(), where(table), sql); !made) return made;
    return check_key(table);
  }

  Result<> begin() override { return run(connection_.get(), where_, "START TRANSACTION"); }
  Result<> commit() override { return run(connection_.get(), where_, "COMMIT"); }
  Result<> clear(const Table& table) override {
    return run(connection_.get(), where(table), "DELETE FROM " + sql_name(table.name));
  }

  Result<bool> exists(const Table& table) override {
    const auto rows =
        number("SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = " +
               text(table.name));
    if (!rows) return pass(rows.error());
    return *rows > 0;
  }

  Result<int64_t> count(const Table& table) override { return number("SELECT count(*) FROM " + sql_name(table.name)); }

  Result<> each_key(const Table& table, const std::function<void(int64_t)>& each) override {
    const std::string sql = fmt::format("SELECT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY {0}", sql_name(table.key),
                                        sql_name(table.name));
    if (auto done = run(connection_.get(), where(table), sql); !done) return done;
    const ResultSet result(mysql_use_result(connection_.get()));
    if (!result) return mysql_failure(connection_.get(), where(table));
    Result<> all_whole;
    while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
      int64_t key = 0;
      const char* end = row[0] + mysql_fetch_lengths(result.get())[0];
      const auto [at, error] = std::from_chars(row[0], end, key);
      if (error == std::errc{} && at == end) each(key);
      else if (all_whole)
        all_whole = invalid("{}: the key '{}' holds '{}', which is no whole number", where(table), table.key, row[0]);
    }
    if (mysql_errno(connection_.get()) != 0) return mysql_failure(connection_.get(), where(table));
    return all_whole;
  }

  Result<std::unique_ptr<RowWriter>> writer(const Table& table) override {
    return std::make_unique<MysqlWriter>(connection_.get(), where(table), table);
  }

  Result<std::unique_ptr<RowReader>> reader(const Table& table) override {
    const std::string name = sql_name(table.name), key = sql_name(table.key);
    auto one = MysqlRows::prepare(connection_.get(), where(table), table.key,
                                  fmt::format("SELECT * FROM {} WHERE {} = ? LIMIT 1", name, key));
    if (!one) return pass(one.error());
    auto range =
        MysqlRows::prepare(connection_.get(), where(table), table.key,
                           fmt::format("SELECT * FROM {} WHERE {} BETWEEN ? AND ? ORDER BY {}", name, key, key));
    if (!range) return pass(range.error());
    return std::make_unique<MysqlReader>(std::move(*one), std::move(*range));
  }

 private:
  std::string where(const Table& table) const { return fmt::format("{}, table {}", where_, table.name); }

  std::string text(const std::string& value) {
    std::string escaped(2 * value.size() + 1, '\0');
    escaped.resize(mysql_real_escape_string(connection_.get(), escaped.data(), value.data(),
                                            static_cast<unsigned long>(value.size())));
    return "'" + escaped + "'";
  }

  // Without a unique key, REPLACE would add a second row.
  Result<> check_key(const Table& table) {
    const auto unique =
        number(fmt::format("SELECT count(*) FROM (SELECT index_name FROM information_schema.statistics WHERE "
                           "table_schema = DATABASE() AND "
                           "table_name = {} AND non_unique = 0 GROUP BY index_name HAVING count(*) = 1 AND "
                           "max(column_name) = {}) AS found",
                           text(table.name), text(table.key)));
    if (!unique) return pass(unique.error());
    if (*unique > 0) return {};
    return invalid(
        "{}: the column '{}' has no unique index, so rows could not be replaced by it; run ALTER TABLE {} ADD PRIMARY "
        "KEY ({})",
        where(table), table.key, sql_name(table.name), sql_name(table.key));
  }

  Result<int64_t> number(const std::string& sql) {
    if (auto done = run(connection_.get(), where_, sql); !done) return pass(done.error());
    const ResultSet result(mysql_store_result(connection_.get()));
    if (!result) return mysql_failure(connection_.get(), where_);
    const MYSQL_ROW row = mysql_fetch_row(result.get());
    if (row == nullptr || row[0] == nullptr) return corrupt("{}: no answer to a count", where_);
    return std::strtoll(row[0], nullptr, 10);
  }

  Connection connection_;
  std::string where_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_mysql(const SourceUrl& url, Database::Access) {
  const std::string where = url.redacted();
  Connection connection(mysql_init(nullptr));
  if (!connection) return fail(Code::full, "{}: out of memory", where);
  mysql_options(connection.get(), MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout_s);
  mysql_options(connection.get(), MYSQL_OPT_READ_TIMEOUT, &answer_timeout_s);
  mysql_options(connection.get(), MYSQL_OPT_WRITE_TIMEOUT, &answer_timeout_s);
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // "localhost" would mean the default socket file, whatever the port says.
  const std::string host = url.host == "localhost" ? "127.0.0.1" : url.host;
  if (mysql_real_connect(connection.get(), host.c_str(), url.user.c_str(), url.password.c_str(), url.database.c_str(),
                         static_cast<unsigned>(url.port), nullptr, 0) == nullptr) {
    const auto failure = mysql_failure(connection.get(), where);
    return fail(failure.error().code, "{}; {}", failure.error().message,
                failure.error().code == Code::unavailable ? "is the server up, and are HOST and PORT right?"
                                                          : "check USER, PASSWORD and DATABASE");
  }
  // Strict: a value that does not fit is an error, never a changed value.
  if (auto set = run(connection.get(), where,
                     "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'");
      !set) {
    return pass(set.error());
  }
  return std::make_unique<Mysql>(std::move(connection), where);
}

}  // namespace pinflow::source
