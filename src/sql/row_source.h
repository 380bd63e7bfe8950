// Rows that the program makes, as a table of DuckDB: SELECT * FROM pinflow_rows('name').
//
// A RowSource is registered with a Database under a name; each time the name stands in a FROM, DuckDB begins one Scan
// of it and lets several threads read from that scan, each through a Reader of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::sql {

class Database;

struct SourceColumn {
  std::string name;
  enum class Kind { text, integer } kind = Kind::text;  // VARCHAR, BIGINT
};

// Up to kRows rows on their way into DuckDB. Only the columns that the query reads are kept: the rest may be set, at
// no cost, or left out.
class RowChunk {
 public:
  static constexpr size_t kRows = 2048;

  // `column` is the source's; `text` is valid UTF-8 (the caller knows: it is not checked again) and is copied.
  void set_text(size_t column, size_t row, std::string_view text);
  void set_integer(size_t column, size_t row, int64_t value);
  void set_null(size_t column, size_t row);
  bool wants(size_t column) const { return slots_[column].data != nullptr; }

  struct Slot {  // of the file that speaks to DuckDB
    void* vector = nullptr;
    void* data = nullptr;
    uint64_t* validity = nullptr;
  };
  explicit RowChunk(std::vector<Slot> slots) : slots_(std::move(slots)) {}

 private:
  std::vector<Slot> slots_;  // one for each column of the source; empty where it is not wanted
};

// One thread's share of a scan.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // Sets rows 0, 1, … of the chunk and answers how many; 0 at the end. Every wanted column of every row is set.
  // An error ends the statement, with this message.
  virtual Result<size_t> fill(RowChunk& chunk) = 0;
};

// One pass over all rows. Its calls come from several threads at once.
class RowScan {
 public:
  virtual ~RowScan() = default;
  virtual std::unique_ptr<RowReader> reader() = 0;
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::vector<SourceColumn>& columns() const = 0;
  virtual int64_t about() const = 0;        // rows, roughly, for DuckDB's plans
  virtual size_t most_readers() const = 0;  // threads that have something to do
  // `wants`: which columns will be read.
  virtual Result<std::unique_ptr<RowScan>> scan(const std::vector<bool>& wants) = 0;
};

// Makes the source known under the name (in place of one that had it), or forgets it. A scan that runs keeps its
// source. From any thread.
void put_source(Database& database, const std::string& name, std::shared_ptr<RowSource> source);
void drop_source(Database& database, const std::string& name);

}  // namespace pinflow::sql
