// DuckDB, embedded, by its C API. A Database lives in memory and works on local files (Parquet, lines of JSON); what
// does not fit into its memory is spilled to a folder. Nothing is fetched from a network: extensions are never
// installed or loaded. Sessions are in UTC, whatever TZ says. Open it where it is first needed: it takes about 20 ms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/value.h"

namespace pinflow::sql {

struct DatabaseOptions {
  int64_t memory_bytes = int64_t{1} << 30;  // DuckDB's memory_limit: more is spilled, or fails with Code::full
  int threads = 0;                          // 0: one for each processor
  std::filesystem::path spill;              // made when first needed, emptied on close; empty: never spill
};

// Where a user's own text stands inside a statement that was built around it, so that an error names the user's file
// and line. `first_line` is the statement's line (from 1) on which the file's first line stands.
struct Origin {
  std::string file;  // empty: the statement is the program's own
  int first_line = 1;
  int lines = std::numeric_limits<int>::max();  // of the user's text; errors outside of it carry no line, but a
                                                // parser's its last
};

// Rows that one query may bring into memory; more is Code::full. Answers are small: big results go to files by COPY.
inline constexpr size_t kMaxRows = 2'000'000;

// Asked about ten times a second while a statement runs, by the thread that runs it; the share of the work that is
// done, 0 to 1, or -1 where it is not known. False interrupts the statement (Code::cancelled).
using Watch = std::function<bool(double done)>;

class Database;

// One session. Used by one thread at a time; several connections of one Database may run at once and see the same
// tables, views and macros. Its Database must outlive it.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Runs any number of statements, separated by ';', and throws their rows away. Stops at the first that fails.
  // Errors: invalid (the SQL, or a value in it), full (memory or disk), not_found (a file), cancelled (a stop was
  // requested, or the watch said so). The message is DuckDB's, with "file:line: " before it where `origin` tells it.
  Result<> execute(std::string_view sql, const Origin& origin = {});

  // The same, with the rows of the last statement. A COPY answers its count, or its statistics (RETURN_STATS).
  Result<Table> query(std::string_view sql, const Origin& origin = {});

  // The one cell of a one-row, one-column answer.
  Result<Value> value(std::string_view sql, const Origin& origin = {});

  // Without one, statements stop when pinflow::stop_requested().
  void watch(Watch watch);

  // From any thread: the running statement ends with Code::cancelled.
  void interrupt();

  struct Impl;  // of this room

 private:
  friend class Database;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Connection> connect();

  struct Impl;
  Impl& impl() { return *impl_; }  // for the other files of this room

 private:
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// SQL literals and names, quoted so that any text is safe: 'it''s', "a ""b""". A NUL cannot stand in SQL text:
// quote_text writes it as chr(0).
std::string quote_text(std::string_view text);
std::string quote_name(std::string_view name);

// ['a', 'b'] for read_parquet and the like.
std::string quote_list(const std::vector<std::string>& texts);

}  // namespace pinflow::sql
