// The lines of a plan's objects as rows for DuckDB: SELECT … FROM pinflow_rows('…').
//
//   line       which line of all: unique, below 2^45
//   origin     the line, and how it is as a record: what a cleaning hands through
//                bits 0-1 Fault, 2-9 members that are no fields, 10-17 fields that are missing, 18-62 line
//   record     the line's text; bytes that are not UTF-8 are U+FFFD
//   object, partition, offset     where it stands
//   one column for each field, its text or NULL (record_parser.h)
//
// Objects are read side by side by several threads, each through a buffer of at most a line and a block; lines are
// parsed only where the query asks for a field or the origin.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lake/objects.h"
#include "object/store.h"
#include "sql/row_source.h"

namespace pinflow::lake {

enum class Fault : int { none = 0, not_an_object = 1, too_long = 2 };
inline constexpr std::string_view kNotAnObject = "not a JSON object";
inline constexpr std::string_view kTooLong = "longer than 16 MiB";

// Which column of the source is which; fields follow.
inline constexpr size_t kLineColumn = 0, kOriginColumn = 1, kRecordColumn = 2, kObjectColumn = 3, kPartitionColumn = 4,
                        kOffsetColumn = 5, kFirstField = 6;

inline constexpr int kUnknownShift = 2, kMissingShift = 10, kLineShift = 18;
inline constexpr int kMostNoted = 255;  // of unknown members and of missing fields; the rest is in Totals

// Objects of one source, and lines of one object: a line's number holds both.
inline constexpr int kLineBits = 25;
inline constexpr size_t kMostObjects = size_t{1} << 20;
inline constexpr int64_t kMostLines = int64_t{1} << kLineBits;

// Of a line longer than gate::kMaxRecordBytes, `record` shows this much.
inline constexpr size_t kShownOfTooLong = 64 << 10;

class RecordSource final : public sql::RowSource {
 public:
  // The store outlives it. Of each object the records [from, to) are read. At most kMostObjects: more is a bug.
  RecordSource(object::Store& store, std::vector<TopicObject> objects, std::vector<std::string> fields);

  const std::vector<sql::SourceColumn>& columns() const override { return columns_; }
  int64_t about() const override;
  size_t most_readers() const override { return objects_.empty() ? 1 : objects_.size(); }
  Result<std::unique_ptr<sql::RowScan>> scan(const std::vector<bool>& wants) override;

  // What the last finished scan that parsed the records has met.
  struct Totals {
    int64_t lines = 0;
    int64_t missing = 0;        // beyond kMostNoted of a record
    int64_t unknown = 0;        // …
    std::vector<int64_t> ends;  // of each object: the offset behind its last line, at most its `to`
  };
  Totals totals() const;

  const std::vector<TopicObject>& objects() const { return objects_; }

 private:
  class Scan;
  class Reader;

  object::Store& store_;
  const std::vector<TopicObject> objects_;
  const std::vector<std::string> fields_;
  std::vector<sql::SourceColumn> columns_;
  mutable std::mutex mutex_;
  Totals totals_;  // guarded by mutex_
};

}  // namespace pinflow::lake
