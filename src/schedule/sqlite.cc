#include "schedule/sqlite.h"

#include <sqlite3.h>

#include "base/files.h"

namespace pinflow::schedule {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

constexpr const char* kBroken =
    "the history of runs is broken. Move it and the files beside it (-wal, -shm) away, and begin a new one: no record "
    "is lost or repeated by that, plans and tables are not kept there; dates that succeeded are no longer known";

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

std::unexpected<Error> Database::error() const {
  const std::string what = sqlite3_errmsg(handle_.get());
  const std::string file = file_.string();
  switch (sqlite3_extended_errcode(handle_.get()) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return unavailable("{}: {}: another process holds it; see which with `fuser {}`, end it or try again", file, what,
                         file);
    case SQLITE_FULL:
      return fail(Code::full, "{}: {}: the disk is full; free room and try again, nothing half was written", file,
                  what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return corrupt("{}: {}: {}", file, what, kBroken);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return fail(Code::denied, "{}: {}: this user must be able to write the file and its folder", file, what);
    case SQLITE_IOERR: return fail(Code::full, "{}: {}: the disk refuses it; is it full or broken?", file, what);
    case SQLITE_CONSTRAINT: return fail(Code::conflict, "{}: {}", file, what);
    default: return invalid("{}: {}", file, what);
  }
}

Result<Database> Database::open(const std::filesystem::path& file, int busy_ms) {
  if (auto made = make_folders(file.parent_path()); !made) return pass(made.error());
  sqlite3* opened = nullptr;
  const int status = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database database(file, std::unique_ptr<sqlite3, Close>(opened));
  if (opened == nullptr) return fail(Code::full, "{}: no memory", file.string());
  if (status != SQLITE_OK) return database.error();
  sqlite3_busy_timeout(opened, busy_ms);
  // Turning an empty file to WAL takes a lock that the time-out does not wait for.
  for (int tries = 0;; ++tries) {
    auto wal = database.query("PRAGMA journal_mode = WAL");
    if (wal) break;
    if (wal.error().code != Code::unavailable || tries * 50 >= busy_ms) return pass(wal.error());
    sqlite3_sleep(50);
  }
  if (auto set = database.execute("PRAGMA synchronous = FULL"); !set) return pass(set.error());
  auto check = database.query("PRAGMA quick_check(1)");
  if (!check) return pass(check.error());
  if (check->empty() || check->front().empty() || check->front().front().text != "ok")
    return corrupt("{}: {}: {}", file.string(), check->empty() ? "" : check->front().front().text, kBroken);
  return database;
}

Result<std::vector<Row>> Database::query(const std::string& sql, const std::vector<Cell>& values) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) return error();
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  int place = 0;
  for (const Cell& value : values) {
    ++place;
    if (value.kind == Cell::Kind::number) sqlite3_bind_int64(prepared, place, value.number);
    else if (value.kind == Cell::Kind::text)
      sqlite3_bind_text(prepared, place, value.text.data(), static_cast<int>(value.text.size()), SQLITE_STATIC);
    else sqlite3_bind_null(prepared, place);
  }
  std::vector<Row> rows;
  for (;;) {
    const int status = sqlite3_step(prepared);
    if (status == SQLITE_DONE) return rows;
    if (status != SQLITE_ROW) return error();
    Row& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
      const int type = sqlite3_column_type(prepared, i);
      if (type == SQLITE_NULL) row.emplace_back();
      else if (type == SQLITE_INTEGER) row.emplace_back(static_cast<int64_t>(sqlite3_column_int64(prepared, i)));
      else
        row.emplace_back(std::string(reinterpret_cast<const char*>(sqlite3_column_text(prepared, i)),
                                     static_cast<size_t>(sqlite3_column_bytes(prepared, i))));
    }
  }
}

Result<> Database::execute(const std::string& sql, const std::vector<Cell>& values) {
  auto rows = query(sql, values);
  if (!rows) return pass(rows.error());
  return {};
}

int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }
int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }

}  // namespace pinflow::schedule
