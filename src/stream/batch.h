// The records of one micro-batch in memory, and which of them are of which record type. A record's number in the batch
// (its line) is its place in the order in which the records came. Used by one thread while it is filled; read by many
// after that.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/pipeline.h"
#include "sql/row_source.h"
#include "stream/feed.h"
#include "stream/plan.h"

namespace pinflow::stream {

// Which record type a record is of. A stream of one type takes all records for it. One of several goes by the
// partition key: to the type that has it, else to the type that has none, else to none.
class Routes {
 public:
  explicit Routes(std::vector<const pipeline::RecordType*> records);
  static constexpr size_t kNone = static_cast<size_t>(-1);

  const std::vector<const pipeline::RecordType*>& records() const { return records_; }
  size_t of(std::string_view key) const;  // a place in records()

 private:
  const std::vector<const pipeline::RecordType*> records_;
  std::map<std::string, size_t, std::less<>> by_key_;
  size_t rest_ = kNone;
};

class Batch {
 public:
  struct Line {
    const FeedRecord* record = nullptr;
    const std::string* shard = nullptr;
  };

  explicit Batch(const Routes& routes) : by_type_(routes.records().size()), routes_(routes) {}
  Batch(const Batch&) = delete;

  void add(FeedBlock block);

  size_t records() const { return lines_.size(); }
  size_t bytes() const { return bytes_; }
  bool ends_shards() const { return ends_ > 0; }
  bool empty() const { return lines_.empty() && ends_ == 0; }  // nothing that a plan would have to say

  const Line& line(size_t number) const { return lines_[number]; }
  const std::vector<uint32_t>& of_type(size_t place) const { return by_type_[place]; }
  const std::vector<uint32_t>& unrouted() const { return unrouted_; }
  // Of each shard that has something here; `from` and complete_ms are left to the caller.
  const std::map<std::string, PlannedShard>& shards() const { return shards_; }

 private:
  std::vector<std::unique_ptr<const FeedBlock>> blocks_;
  std::vector<Line> lines_;
  std::vector<std::vector<uint32_t>> by_type_;
  std::vector<uint32_t> unrouted_;
  std::map<std::string, PlannedShard> shards_;
  const Routes& routes_;
  size_t bytes_ = 0;
  size_t ends_ = 0;
};

// The records of one type of a batch as rows, with the columns that lake's cleanings read (lake/record_source.h):
// line, origin, record, object, partition, offset, and the fields. The three of a place in an object are NULL.
class BatchSource final : public sql::RowSource {
 public:
  // The batch outlives the last scan.
  BatchSource(const Batch& batch, size_t type, const std::vector<std::string>& fields);

  const std::vector<sql::SourceColumn>& columns() const override { return columns_; }
  int64_t about() const override { return static_cast<int64_t>(lines_.size()); }
  size_t most_readers() const override { return lines_.size() / sql::RowChunk::kRows + 1; }
  Result<std::unique_ptr<sql::RowScan>> scan(const std::vector<bool>& wants) override;

  // Beyond what a row's origin can say (lake::kMostNoted), of the last finished pass.
  int64_t lines() const { return static_cast<int64_t>(lines_.size()); }
  int64_t missing() const { return missing_; }
  int64_t unknown() const { return unknown_; }

 private:
  class Scan;
  class Reader;

  const Batch& batch_;
  const std::vector<uint32_t>& lines_;
  const std::vector<std::string>& fields_;
  std::vector<sql::SourceColumn> columns_;
  std::atomic<int64_t> missing_{0}, unknown_{0};
};

}  // namespace pinflow::stream
