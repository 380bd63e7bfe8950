#include "stream/batch.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "gate/json_gate.h"
#include "lake/record_parser.h"
#include "lake/record_source.h"
#include "stream/decode.h"

namespace pinflow::stream {

Routes::Routes(std::vector<const pipeline::RecordType*> records) : records_(std::move(records)) {
  for (size_t i = 0; i < records_.size(); ++i) {
    if (records_.size() == 1 || records_[i]->partition_key.empty()) rest_ = i;
    else by_key_[records_[i]->partition_key] = i;
  }
}

size_t Routes::of(std::string_view key) const {
  if (by_key_.empty()) return rest_;
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? rest_ : found->second;
}

void Batch::add(FeedBlock added) {
  blocks_.push_back(std::make_unique<const FeedBlock>(std::move(added)));
  const FeedBlock& block = *blocks_.back();
  PlannedShard& shard = shards_[block.shard];
  shard.shard = block.shard;
  for (const FeedRecord& record : block.records) {
    const auto line = static_cast<uint32_t>(lines_.size());
    lines_.push_back({&record, &block.shard});
    const size_t type = routes_.of(record.key);
    if (type == Routes::kNone) unrouted_.push_back(line);
    else by_type_[type].push_back(line);
  }
  if (!block.records.empty()) shard.to = block.records.back().position;
  shard.records += static_cast<int64_t>(block.records.size());
  if (block.ends_shard) {
    shard.ended = true;
    ++ends_;
  }
  bytes_ += block.bytes;
}

// Hands out slices of the lines.
class BatchSource::Scan final : public sql::RowScan {
 public:
  Scan(BatchSource& source, bool parses) : source_(source), parses_(parses) {}
  std::unique_ptr<sql::RowReader> reader() override;

  BatchSource& source() { return source_; }
  bool parses() const { return parses_; }
  size_t next_slice() { return next_.fetch_add(sql::RowChunk::kRows); }

 private:
  BatchSource& source_;
  const bool parses_;
  std::atomic<size_t> next_{0};
};

class BatchSource::Reader final : public sql::RowReader {
 public:
  explicit Reader(Scan& scan) : scan_(scan), source_(scan.source()), parser_(source_.fields_) {}

  Result<size_t> fill(sql::RowChunk& chunk) override {
    const size_t from = scan_.next_slice();
    if (from >= source_.lines_.size()) return 0;
    const size_t rows = std::min(sql::RowChunk::kRows, source_.lines_.size() - from);
    for (size_t row = 0; row < rows; ++row) put(chunk, row, source_.lines_[from + row]);
    source_.missing_ += std::exchange(missing_, 0);
    source_.unknown_ += std::exchange(unknown_, 0);
    return rows;
  }

 private:
  void put(sql::RowChunk& chunk, size_t row, uint32_t line) {
    const std::string_view text = record_of(source_.batch_.line(line).record->data, decoded_);
    const auto number = static_cast<int64_t>(line);
    chunk.set_integer(lake::kLineColumn, row, number);
    if (chunk.wants(lake::kRecordColumn)) chunk.set_text(lake::kRecordColumn, row, repaired_utf8(text));
    chunk.set_null(lake::kObjectColumn, row);
    chunk.set_null(lake::kPartitionColumn, row);
    chunk.set_null(lake::kOffsetColumn, row);
    if (!scan_.parses()) return;
    lake::Fault fault = text.size() > gate::kMaxRecordBytes ? lake::Fault::too_long : lake::Fault::none;
    if (!parser_.parse(fault == lake::Fault::none ? text : std::string_view()) && fault == lake::Fault::none) {
      fault = lake::Fault::not_an_object;
    }
    const int missing = std::min(parser_.missing(), lake::kMostNoted);
    const int unknown = std::min(parser_.unknown(), lake::kMostNoted);
    missing_ += parser_.missing() - missing;
    unknown_ += parser_.unknown() - unknown;
    chunk.set_integer(lake::kOriginColumn, row,
                      number << lake::kLineShift | missing << lake::kMissingShift | unknown << lake::kUnknownShift |
                          static_cast<int>(fault));
    for (size_t field = 0; field < source_.fields_.size(); ++field) {
      if (parser_.null(field)) chunk.set_null(lake::kFirstField + field, row);
      else chunk.set_text(lake::kFirstField + field, row, parser_.text(field));
    }
  }

  Scan& scan_;
  BatchSource& source_;
  lake::RecordParser parser_;
  std::string decoded_;
  int64_t missing_ = 0;
  int64_t unknown_ = 0;
};

std::unique_ptr<sql::RowReader> BatchSource::Scan::reader() { return std::make_unique<Reader>(*this); }

BatchSource::BatchSource(const Batch& batch, size_t type, const std::vector<std::string>& fields)
    : batch_(batch), lines_(batch.of_type(type)), fields_(fields) {
  using Kind = sql::SourceColumn::Kind;
  columns_ = {{"line", Kind::integer}, {"origin", Kind::integer},    {"record", Kind::text},
              {"object", Kind::text},  {"partition", Kind::integer}, {"offset", Kind::integer}};
  for (size_t i = 0; i < fields_.size(); ++i) columns_.push_back({"field_" + std::to_string(i), Kind::text});
}

Result<std::unique_ptr<sql::RowScan>> BatchSource::scan(const std::vector<bool>& wants) {
  bool parses = wants[lake::kOriginColumn];
  for (size_t column = lake::kFirstField; column < wants.size(); ++column) parses = parses || wants[column];
  if (parses) missing_ = unknown_ = 0;
  return std::make_unique<Scan>(*this, parses);
}

}  // namespace pinflow::stream
