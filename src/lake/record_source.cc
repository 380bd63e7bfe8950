#include "lake/record_source.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "lake/line_reader.h"
#include "lake/record_parser.h"
#include "object/prefetch.h"

namespace pinflow::lake {
namespace {

constexpr size_t kChunkBytes = 4 << 20;   // of lines in one chunk
constexpr int64_t kBytesOfARecord = 300;  // for estimates

}  // namespace

// One pass: hands out objects, gathers what was met.
class RecordSource::Scan final : public sql::RowScan {
 public:
  Scan(RecordSource& source, bool parses)
      : source_(source), parses_(parses), ahead_(source.store_, wanted(source.objects_)) {
    totals_.ends.resize(source.objects_.size());
  }
  std::unique_ptr<sql::RowReader> reader() override;

  RecordSource& source() { return source_; }
  bool parses() const { return parses_; }
  std::optional<size_t> next_object() {
    const size_t next = next_.fetch_add(1);
    return next < source_.objects_.size() ? std::optional(next) : std::nullopt;
  }

  Result<object::LocalFile> fetch(size_t object) { return ahead_.take(object); }

  // An object is read; with the last one the pass is done.
  // `lines`: of it up to where reading ended, `passed` of them passed over.
  void finished(size_t object, int64_t lines, int64_t passed, int64_t missing, int64_t unknown) {
    const std::lock_guard lock(mutex_);
    totals_.lines += lines - passed;
    totals_.missing += missing;
    totals_.unknown += unknown;
    totals_.ends[object] = source_.objects_[object].first_offset + lines;
    if (++finished_ < source_.objects_.size() || !parses_) return;
    const std::lock_guard of_source(source_.mutex_);
    source_.totals_ = totals_;
  }

 private:
  static std::vector<object::Prefetch::Wanted> wanted(const std::vector<TopicObject>& objects) {
    std::vector<object::Prefetch::Wanted> wanted;
    wanted.reserve(objects.size());
    for (const TopicObject& object : objects) wanted.push_back({object.name, object.size});
    return wanted;
  }

  RecordSource& source_;
  const bool parses_;
  object::Prefetch ahead_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  Totals totals_;        // guarded by mutex_
  size_t finished_ = 0;  // guarded by mutex_
};

class RecordSource::Reader final : public sql::RowReader {
 public:
  explicit Reader(Scan& scan) : scan_(scan), source_(scan.source()), parser_(source_.fields_) {}

  Result<size_t> fill(sql::RowChunk& chunk) override {
    size_t row = 0;
    size_t bytes = 0;
    while (row < sql::RowChunk::kRows && bytes < kChunkBytes) {
      if (!lines_) {
        if (auto opened = open_next(); !opened) return pass(opened.error());
        if (!lines_) break;
      }
      const int64_t offset = object().first_offset + line_;
      if (offset >= object().to) {
        close();
        continue;
      }
      LineReader::Line line;
      const auto got = lines_->next(line);
      if (!got) return pass(got.error(), "{}", object().name);
      if (!*got) {
        close();
        continue;
      }
      if (line_ == kMostLines) return unsupported("{}: more than {} records in one object", object().name, kMostLines);
      if (offset < object().from) {
        ++line_;
        ++passed_;
        continue;
      }
      put(chunk, row++, line);
      bytes += line.text.size();
    }
    return row;
  }

 private:
  const TopicObject& object() const { return source_.objects_[place_]; }

  Result<> open_next() {
    const auto next = scan_.next_object();
    if (!next) return {};
    place_ = *next;
    auto local = scan_.fetch(place_);
    if (!local) return pass(local.error());
    local_.emplace(std::move(*local));
    auto lines = LineReader::open(local_->path(), gate::kMaxRecordBytes);
    if (!lines) return pass(lines.error());
    lines_.emplace(std::move(*lines));
    line_ = passed_ = missing_ = unknown_ = 0;
    return {};
  }

  void close() {
    scan_.finished(place_, line_, passed_, missing_, unknown_);
    lines_.reset();
    local_.reset();
  }

  void put(sql::RowChunk& chunk, size_t row, const LineReader::Line& line) {
    const int64_t number = (static_cast<int64_t>(place_) << kLineBits) | line_;
    chunk.set_integer(kLineColumn, row, number);
    if (chunk.wants(kRecordColumn)) {
      const std::string_view text = line.too_long ? utf8_prefix(line.text, kShownOfTooLong) : line.text;
      if (is_utf8(text)) chunk.set_text(kRecordColumn, row, text);
      else chunk.set_text(kRecordColumn, row, repaired_utf8(text));
    }
    chunk.set_text(kObjectColumn, row, object().name);
    chunk.set_integer(kPartitionColumn, row, object().partition);
    chunk.set_integer(kOffsetColumn, row, object().first_offset + line_);
    if (scan_.parses()) {
      Fault fault = line.too_long ? Fault::too_long : Fault::none;
      if (!parser_.parse(line.too_long ? std::string_view() : line.text) && fault == Fault::none) {
        fault = Fault::not_an_object;
      }
      const int missing = std::min(parser_.missing(), kMostNoted);
      const int unknown = std::min(parser_.unknown(), kMostNoted);
      missing_ += parser_.missing() - missing;
      unknown_ += parser_.unknown() - unknown;
      chunk.set_integer(
          kOriginColumn, row,
          number << kLineShift | missing << kMissingShift | unknown << kUnknownShift | static_cast<int>(fault));
      for (size_t field = 0; field < source_.fields_.size(); ++field) {
        if (parser_.null(field)) chunk.set_null(kFirstField + field, row);
        else chunk.set_text(kFirstField + field, row, parser_.text(field));
      }
    }
    ++line_;
  }

  Scan& scan_;
  RecordSource& source_;
  RecordParser parser_;
  size_t place_ = 0;  // of the object that is being read
  std::optional<object::LocalFile> local_;
  std::optional<LineReader> lines_;
  int64_t line_ = 0;
  int64_t passed_ = 0;  // lines before `from`
  int64_t missing_ = 0;
  int64_t unknown_ = 0;
};

std::unique_ptr<sql::RowReader> RecordSource::Scan::reader() { return std::make_unique<Reader>(*this); }

RecordSource::RecordSource(object::Store& store, std::vector<TopicObject> objects, std::vector<std::string> fields)
    : store_(store), objects_(std::move(objects)), fields_(std::move(fields)) {
  if (objects_.size() > kMostObjects) std::abort();
  using Kind = sql::SourceColumn::Kind;
  columns_ = {{"line", Kind::integer}, {"origin", Kind::integer},    {"record", Kind::text},
              {"object", Kind::text},  {"partition", Kind::integer}, {"offset", Kind::integer}};
  // A field may have any of these names too: the views around this source go by position.
  for (size_t i = 0; i < fields_.size(); ++i) columns_.push_back({"field_" + std::to_string(i), Kind::text});
}

int64_t RecordSource::about() const {
  int64_t bytes = 0;
  for (const TopicObject& object : objects_) bytes += object.size;
  return bytes / kBytesOfARecord + 1;
}

Result<std::unique_ptr<sql::RowScan>> RecordSource::scan(const std::vector<bool>& wants) {
  bool parses = wants[kOriginColumn];
  for (size_t column = kFirstField; column < wants.size(); ++column) parses = parses || wants[column];
  return std::make_unique<Scan>(*this, parses);
}

RecordSource::Totals RecordSource::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace pinflow::lake
