// One connection to the database of the source tables, SQLite or MySQL. For one thread at a time. It knows tables,
// rows and keys, nothing of posts.
//
// Errors: not_found for a missing file, table or column; denied where the user may not; unavailable where the server
// does not answer or went away (open a new connection); full where the disk is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "source/url.h"
#include "source/value.h"

namespace pinflow::source {

struct Table {
  std::string name;
  std::string key;  // one of the columns: integer or bigint
  std::vector<pipeline::SourceColumn> columns;
};
Table source_table(const pipeline::RecordType& record);

// Puts rows into one table; a row with a key that is there replaces the old one. Rows may wait in a batch of at most
// max_batch_rows rows or about max_batch_bytes bytes; an error of a put may be about an earlier row, which it names.
class RowWriter {
 public:
  static constexpr size_t max_batch_rows = 1000;
  static constexpr size_t max_batch_bytes = 1 << 20;

  virtual ~RowWriter() = default;
  virtual Result<> put(const Row& row) = 0;
  virtual Result<> flush() = 0;  // when it returns, every row put is in the transaction
};

// Reads rows of one table by key.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // Appends the row with this key as a JSON object, all its columns in the table's order; false where there is none.
  virtual Result<bool> append_row(int64_t key, std::string& json) = 0;
  // The rows with first <= key <= last, in the order of the key.
  using Each = std::function<void(int64_t key, std::string_view json)>;
  virtual Result<> each_row(int64_t first, int64_t last, const Each& each) = 0;
};

class Database {
 public:
  enum class Access {
    read,   // what is there
    write,  // an SQLite file is made where there is none
    fresh,  // as write, for an SQLite file that is new and that nobody opens yet: no journal, on the disk only when
            // synced by the caller
  };
  static Result<std::unique_ptr<Database>> open(const SourceUrl& url, Access access);
  virtual ~Database() = default;

  // Makes the table where it is absent, with the key as its primary key. One that is there must have that key unique.
  // Not within a transaction (MySQL would commit it).
  virtual Result<> create(const Table& table) = 0;
  virtual Result<> begin() = 0;
  virtual Result<> commit() = 0;  // durable when it returns; without it, closing takes the transaction back
  virtual Result<> clear(const Table& table) = 0;  // deletes all rows

  // Around rows that are read together: SQLite then locks its file once, and shows all tables at one moment.
  virtual Result<> begin_reading() { return {}; }
  virtual void end_reading() {}

  virtual Result<bool> exists(const Table& table) = 0;
  virtual Result<int64_t> count(const Table& table) = 0;
  // Every key that is not NULL, ascending; repeats may come.
  virtual Result<> each_key(const Table& table, const std::function<void(int64_t)>& each) = 0;

  // Both are used, and destroyed, before the database is.
  virtual Result<std::unique_ptr<RowWriter>> writer(const Table& table) = 0;
  virtual Result<std::unique_ptr<RowReader>> reader(const Table& table) = 0;
};

// `name` as both databases quote it (SQLite takes MySQL's backticks; its "…" falls back to a text where no column has
// that name).
std::string sql_name(std::string_view name);

// The two kinds; for Database::open.
Result<std::unique_ptr<Database>> open_sqlite(const SourceUrl& url, Database::Access access);
Result<std::unique_ptr<Database>> open_mysql(const SourceUrl& url, Database::Access access);

}  // namespace pinflow::source
