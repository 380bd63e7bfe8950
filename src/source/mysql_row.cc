#include "source/mysql_row.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <deque>

#include "base/json.h"
#include "source/value.h"

namespace pinflow::source {
namespace {

constexpr size_t first_buffer_bytes = 512;  // of a text; grown where one is longer

struct Close {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

enum class Form { integer, unsigned_integer, single, real, time, decimal, text };

Form form_of(const MYSQL_FIELD& field) {
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR: return (field.flags & UNSIGNED_FLAG) != 0 ? Form::unsigned_integer : Form::integer;
    case MYSQL_TYPE_FLOAT: return Form::single;
    case MYSQL_TYPE_DOUBLE: return Form::real;
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_DATETIME: return Form::time;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: return Form::decimal;
    default: return Form::text;  // also DATE and TIME, which the server then writes
  }
}

struct Column {
  std::string name;  // `{"index":`, `,"unique_id":`, …
  Form form = Form::text;
  my_bool is_null = 0;
  unsigned long length = 0;
  int64_t integer = 0;
  float single = 0;
  double real = 0;
  MYSQL_TIME time{};
  std::string text;
};

void bind(Column& column, MYSQL_BIND& bind) {
  bind.is_null = &column.is_null;
  bind.length = &column.length;
  switch (column.form) {
    case Form::integer:
    case Form::unsigned_integer:
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.is_unsigned = column.form == Form::unsigned_integer;
      bind.buffer = &column.integer;
      return;
    case Form::single:
      bind.buffer_type = MYSQL_TYPE_FLOAT;
      bind.buffer = &column.single;
      return;
    case Form::real:
      bind.buffer_type = MYSQL_TYPE_DOUBLE;
      bind.buffer = &column.real;
      return;
    case Form::time:
      bind.buffer_type = MYSQL_TYPE_DATETIME;
      bind.buffer = &column.time;
      return;
    case Form::decimal:
    case Form::text:
      bind.buffer_type = MYSQL_TYPE_STRING;
      bind.buffer = column.text.data();
      bind.buffer_length = static_cast<unsigned long>(column.text.size());
      return;
  }
}

// "2020-08-28 03:52:47", and ".5" where there are fractions.
void append_time(std::string& to, const MYSQL_TIME& time) {
  fmt::format_to(std::back_inserter(to), "\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}", time.year, time.month, time.day,
                 time.hour, time.minute, time.second);
  if (time.second_part != 0) {
    std::string fraction = fmt::format(".{:06}", time.second_part);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    to += fraction;
  }
  to += '"';
}

void append_value(std::string& to, const Column& column) {
  if (column.is_null) {
    to += "null";
    return;
  }
  switch (column.form) {
    case Form::integer: fmt::format_to(std::back_inserter(to), "{}", column.integer); return;
    case Form::unsigned_integer:
      fmt::format_to(std::back_inserter(to), "{}", static_cast<uint64_t>(column.integer));
      return;
    case Form::single: append_single(to, column.single); return;
    case Form::real: append_real(to, column.real); return;
    case Form::time: append_time(to, column.time); return;
    case Form::decimal: to.append(column.text, 0, column.length); return;
    case Form::text: append_json_string(to, std::string_view(column.text).substr(0, column.length)); return;
  }
}

}  // namespace

Code mysql_code(unsigned error_number) {
  switch (error_number) {
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_UNKNOWN_HOST:
    case ER_CON_COUNT_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_HOST_IS_BLOCKED: return Code::unavailable;
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_HOST_NOT_PRIVILEGED: return Code::denied;
    case ER_BAD_DB_ERROR:
    case ER_NO_SUCH_TABLE:
    case ER_BAD_FIELD_ERROR: return Code::not_found;
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case CR_OUT_OF_MEMORY: return Code::full;
    default: return Code::invalid;
  }
}

struct MysqlRows::State {
  std::string where;
  std::unique_ptr<MYSQL_STMT, Close> statement;
  std::deque<Column> columns;  // never moved: the library writes into them
  std::vector<MYSQL_BIND> binds;
  size_t key_column = 0;
  bool grown = false;  // a buffer moved: bind again before the next row

  std::unexpected<Error> failure() const {
    return fail(mysql_code(mysql_stmt_errno(statement.get())), "{}: {}", where, mysql_stmt_error(statement.get()));
  }
  bool bind_all() {
    for (size_t i = 0; i < columns.size(); ++i) bind(columns[i], binds[i]);
    grown = false;
    return mysql_stmt_bind_result(statement.get(), binds.data()) == 0;
  }
};

MysqlRows::MysqlRows(std::unique_ptr<State> state) : state_(std::move(state)) {}
MysqlRows::~MysqlRows() = default;

Result<std::unique_ptr<MysqlRows>> MysqlRows::prepare(st_mysql* connection, std::string where, std::string key,
                                                      const std::string& sql) {
  auto state = std::make_unique<State>();
  state->where = std::move(where);
  state->statement.reset(mysql_stmt_init(connection));
  if (!state->statement) return fail(Code::full, "{}: out of memory", state->where);
  if (mysql_stmt_prepare(state->statement.get(), sql.data(), static_cast<unsigned long>(sql.size())) != 0)
    return state->failure();
  const std::unique_ptr<MYSQL_RES, Close> meta(mysql_stmt_result_metadata(state->statement.get()));
  if (!meta) return state->failure();
  for (unsigned i = 0; i < mysql_num_fields(meta.get()); ++i) {
    const MYSQL_FIELD& field = *mysql_fetch_field_direct(meta.get(), i);
    Column column{.name = (i == 0 ? "{" : ",") + json_string(field.name) + ":", .form = form_of(field)};
    if (column.form == Form::text || column.form == Form::decimal) column.text.resize(first_buffer_bytes);
    if (key == field.name) state->key_column = i;
    state->columns.push_back(std::move(column));
  }
  const Form key_form = state->columns[state->key_column].form;
  if (key_form != Form::integer && key_form != Form::unsigned_integer) {
    return invalid("{}: the key '{}' is no whole number; make the column INT or BIGINT", state->where, key);
  }
  state->binds.resize(state->columns.size());
  if (!state->bind_all()) return state->failure();
  return std::unique_ptr<MysqlRows>(new MysqlRows(std::move(state)));
}

Result<> MysqlRows::start(std::span<const int64_t> numbers) {
  std::vector<MYSQL_BIND> parameters(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    parameters[i].buffer_type = MYSQL_TYPE_LONGLONG;
    parameters[i].buffer = const_cast<int64_t*>(&numbers[i]);  // only read
  }
  MYSQL_STMT* statement = state_->statement.get();
  if (mysql_stmt_bind_param(statement, parameters.data()) != 0 || mysql_stmt_execute(statement) != 0)
    return state_->failure();
  return {};
}

Result<bool> MysqlRows::next(std::string& json) {
  MYSQL_STMT* statement = state_->statement.get();
  if (state_->grown && !state_->bind_all()) return state_->failure();
  const int code = mysql_stmt_fetch(statement);
  if (code == MYSQL_NO_DATA) {
    stop();
    return false;
  }
  if (code != 0 && code != MYSQL_DATA_TRUNCATED) {
    const auto error = state_->failure();
    stop();
    return error;
  }
  for (unsigned i = 0; i < state_->columns.size(); ++i) {
    Column& column = state_->columns[i];
    const bool is_text = column.form == Form::text || column.form == Form::decimal;
    if (is_text && !column.is_null && column.length > column.text.size()) {
      column.text.resize(column.length);
      bind(column, state_->binds[i]);
      state_->grown = true;
      if (mysql_stmt_fetch_column(statement, &state_->binds[i], i, 0) != 0) return state_->failure();
    }
    json += column.name;
    append_value(json, column);
  }
  json += '}';
  return true;
}

void MysqlRows::stop() { mysql_stmt_free_result(state_->statement.get()); }

int64_t MysqlRows::key() const { return state_->columns[state_->key_column].integer; }

}  // namespace pinflow::source
