// SQLite as the history needs it: a database file that several processes share, statements, transactions. Internal to
// the room. A Database belongs to one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

struct sqlite3;

namespace pinflow::schedule {

// A cell: NULL, a number or a text.
struct Cell {
  enum class Kind { null, number, text } kind = Kind::null;
  int64_t number = 0;
  std::string text;
  Cell() = default;
  Cell(int64_t value) : kind(Kind::number), number(value) {}
  Cell(int value) : kind(Kind::number), number(value) {}
  Cell(bool value) : kind(Kind::number), number(value ? 1 : 0) {}
  Cell(std::string value) : kind(Kind::text), text(std::move(value)) {}
  Cell(const char* value) : kind(Kind::text), text(value) {}
  Cell(const std::optional<int64_t>& value) {
    if (value) *this = Cell(*value);
  }
  bool null() const { return kind == Kind::null; }
};
using Row = std::vector<Cell>;

class Database {
 public:
  // Opens or makes the file: WAL, every commit on the disk (synchronous=FULL), waits `busy_ms` for others, and checks
  // the file. Errors say what to do: unavailable (others hold it), full, corrupt (broken, or no database), denied.
  static Result<Database> open(const std::filesystem::path& file, int busy_ms);

  Result<std::vector<Row>> query(const std::string& sql, const std::vector<Cell>& values = {});
  Result<> execute(const std::string& sql, const std::vector<Cell>& values = {});
  int64_t changes() const;
  int64_t last_id() const;

  // All of `work` or nothing, as the file's only writer meanwhile.
  template <class T>
  Result<T> transaction(const std::function<Result<T>()>& work) {
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return pass(begun.error());
    auto done = work();
    if (done) {
      if (auto ended = execute("COMMIT"); !ended) done = std::unexpected(ended.error());
    }
    if (!done) (void)execute("ROLLBACK");
    return done;
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(std::filesystem::path file, std::unique_ptr<sqlite3, Close> handle)
      : file_(std::move(file)), handle_(std::move(handle)) {}
  std::unexpected<Error> error() const;

  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace pinflow::schedule
