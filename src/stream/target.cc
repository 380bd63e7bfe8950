#include "stream/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "delta/data_file.h"
#include "lake/owners.h"
#include "lake/plan.h"
#include "lake/table_files.h"
#include "object/prefetch.h"
#include "sql/duckdb.h"

namespace pinflow::stream {
namespace {

using sql::quote_name;
using sql::quote_text;

constexpr int64_t kMinute = 60'000;

// Numbers as rows: the lines that are repeats.
class Numbers final : public sql::RowSource {
 public:
  explicit Numbers(std::vector<int64_t> numbers) : numbers_(std::move(numbers)) {}
  const std::vector<sql::SourceColumn>& columns() const override { return columns_; }
  int64_t about() const override { return static_cast<int64_t>(numbers_.size()); }
  size_t most_readers() const override { return 1; }
  Result<std::unique_ptr<sql::RowScan>> scan(const std::vector<bool>&) override {
    return std::make_unique<Scan>(numbers_);
  }

 private:
  struct Reader final : sql::RowReader {
    explicit Reader(const std::vector<int64_t>& all) : numbers(all) {}
    Result<size_t> fill(sql::RowChunk& chunk) override {
      const size_t rows = std::min(sql::RowChunk::kRows, numbers.size() - next);
      for (size_t row = 0; row < rows; ++row) chunk.set_integer(0, row, numbers[next + row]);
      next += rows;
      return rows;
    }
    const std::vector<int64_t>& numbers;
    size_t next = 0;
  };
  struct Scan final : sql::RowScan {
    explicit Scan(const std::vector<int64_t>& all) : numbers(all) {}
    std::unique_ptr<sql::RowReader> reader() override { return std::make_unique<Reader>(numbers); }
    const std::vector<int64_t>& numbers;
  };

  const std::vector<int64_t> numbers_;
  const std::vector<sql::SourceColumn> columns_{{"line", sql::SourceColumn::Kind::integer}};
};

// The newest files that hold all rows which the window may reach back to, the oldest first.
std::vector<delta::DataFile> recent_files(const delta::Snapshot& snapshot, const pipeline::Repeats& repeats) {
  const int64_t young = now_ms() - repeats.stream_minutes * kMinute;
  std::vector<delta::DataFile> recent;
  int64_t rows = 0;
  for (auto file = snapshot.files.rbegin(); file != snapshot.files.rend(); ++file) {
    if (rows >= Window::kMostRows || (rows >= repeats.stream_rows && file->modification_ms < young)) break;
    rows += std::max<int64_t>(file->records, 0);
    recent.push_back(*file);
  }
  std::ranges::reverse(recent);
  return recent;
}

std::string repeats_name(const pipeline::RecordType& record) { return "repeats_" + record.name; }

}  // namespace

std::string app_id(const std::string& pipeline, const std::string& feed, const std::string& table) {
  return fmt::format("pinflow:{}:stream:{}:{}", pipeline, feed, table);
}

Target::Target(object::Store& store, const pipeline::Pipeline& pipeline, const pipeline::RecordType& record)
    : store_(store),
      pipeline_(pipeline),
      record_(record),
      folder_(lake::table_folder(record.stream_table)),
      columns_(lake::delta_columns(record.columns)),
      digest_(lake::digest_of(pipeline, record)),
      window_(pipeline.repeats.stream_rows, pipeline.repeats.stream_minutes * kMinute) {}

Result<std::unique_ptr<Target>> Target::open(object::Store& store, const pipeline::Pipeline& pipeline,
                                             const pipeline::RecordType& record, const std::string& feed) {
  if (auto ours = lake::claim_stream_table(store, record.stream_table, lake::kOwnedHere); !ours) {
    if (ours.error().code == Code::conflict) return invalid("{}", ours.error().message);  // no race that passes
    return pass(ours.error());
  }
  std::unique_ptr<Target> target(new Target(store, pipeline, record));
  delta::WriterOptions options;
  options.table = target->folder_;
  options.columns = target->columns_;
  options.app_id = app_id(pipeline.id, feed, record.stream_table);
  auto writer = delta::TableWriter::open(store, std::move(options));
  if (!writer) return pass(writer.error());
  target->writer_ = std::move(*writer);
  const auto snapshot = lake::find_snapshot(store, record.stream_table);
  if (!snapshot) return pass(snapshot.error());
  if (*snapshot) {
    target->rows_before_ = (*snapshot)->records();
    if (pipeline.repeats.stream_drop) target->recent_ = recent_files(**snapshot, pipeline.repeats);
  }
  target->window_filled_ = target->recent_.empty();
  return target;
}

// (line, mark of the key, mark of the row). A hash of DuckDB has 64 bits; integers here have a sign.
std::string Target::marks_of(const std::string& from) const {
  std::string columns;
  for (const delta::Column& column : columns_) columns += (columns.empty() ? "" : ", ") + quote_name(column.name);
  return fmt::format("CAST(hash({}) >> 1 AS BIGINT), CAST(hash({}) >> 1 AS BIGINT) FROM {}", quote_name(record_.key),
                     columns, from);
}

Result<> Target::fill_window(sql::Connection& sql) {
  if (window_filled_) return {};
  std::vector<object::Prefetch::Wanted> wanted;
  for (const delta::DataFile& file : recent_) wanted.push_back({folder_ + "/" + file.path, file.size});
  const auto local = object::fetch_all(store_, std::move(wanted));
  if (!local) return pass(local.error(), "reading the last rows of the table {}", record_.stream_table);
  constexpr size_t kAtOnce = 200;  // files of one statement
  std::string all;                 // columns, also those that no file has yet
  for (const pipeline::Column& column : record_.columns) {
    all += fmt::format("{}CAST(NULL AS {}) AS {}", all.empty() ? "" : ", ", sql_name_of(column.type),
                       quote_name(column.name));
  }
  int64_t moment = 0;
  for (size_t first = 0; first < local->size(); first += kAtOnce) {
    std::vector<std::string> paths;
    for (size_t i = first; i < std::min(local->size(), first + kAtOnce); ++i)
      paths.push_back((*local)[i].path().string());
    const auto marks =
        sql.query("SELECT " + marks_of(fmt::format("((SELECT {} WHERE false) UNION ALL BY NAME (SELECT * FROM "
                                                   "read_parquet({}, union_by_name = true)))",
                                                   all, sql::quote_list(paths))));
    if (!marks) return pass(marks.error(), "reading the last rows of the table {}", record_.stream_table);
    moment = std::max(moment, recent_[first].modification_ms);
    for (const auto& row : marks->rows) {
      window_.add({static_cast<uint64_t>(row[0].integer()), static_cast<uint64_t>(row[1].integer())}, moment);
    }
  }
  recent_.clear();
  recent_.shrink_to_fit();
  window_filled_ = true;
  return {};
}

Result<lake::Cleaned> Target::clean(Engine& engine, sql::Connection& sql, const std::shared_ptr<BatchSource>& source,
                                    const std::string& date) {
  sql::put_source(engine.database(), lake::source_name_of(record_), source);
  if (!cleaning_ || date_ != date) {
    auto prepared = lake::prepare_cleaning(sql, record_, date);
    if (!prepared) return pass(prepared.error());
    cleaning_ = std::move(*prepared);
    date_ = date;
  } else if (auto seen = sql.execute(cleaning_->view); !seen) {
    return pass(seen.error());
  }
  auto cleaned = lake::run_cleaning(sql, record_, *cleaning_, [&source] {
    return lake::Met{source->lines(), source->missing(), source->unknown()};
  });
  if (cleaned) has_cleaned_ = true;
  return cleaned;
}

Result<std::vector<int64_t>> Target::find_repeats(sql::Connection& sql, const lake::Cleaned& cleaned) {
  if (auto filled = fill_window(sql); !filled) return pass(filled.error());
  const auto marks = sql.query(fmt::format("SELECT line, {} WHERE reason IS NULL", marks_of(cleaned.name)));
  if (!marks) return pass(marks.error());
  const int64_t now = now_ms();
  window_.forget_old(now);
  std::vector<int64_t> repeats;
  for (const auto& row : marks->rows) {
    const RowMark mark{static_cast<uint64_t>(row[1].integer()), static_cast<uint64_t>(row[2].integer())};
    if (!window_.add(mark, now)) repeats.push_back(row[0].integer());
  }
  return repeats;
}

Result<TargetRows> Target::write(Engine& engine, sql::Connection& sql, const lake::Cleaned& cleaned) {
  TargetRows rows;
  const int64_t good = cleaned.raw - cleaned.dead;
  if (good == 0) return rows;
  std::string wanted = "reason IS NULL";
  if (pipeline_.repeats.stream_drop) {
    auto repeats = find_repeats(sql, cleaned);
    if (!repeats) return pass(repeats.error(), "looking for repeats in the table {}", record_.stream_table);
    rows.duplicates = static_cast<int64_t>(repeats->size());
    if (rows.duplicates == good) return rows;
    if (!repeats->empty()) {
      sql::put_source(engine.database(), repeats_name(record_), std::make_shared<Numbers>(std::move(*repeats)));
      wanted += fmt::format(" AND line NOT IN (SELECT line FROM pinflow_rows({}))", quote_text(repeats_name(record_)));
    }
  }
  const std::filesystem::path local = engine.new_file();
  const auto count = sql.value(fmt::format("COPY (SELECT {} FROM {} WHERE {}) TO {} (FORMAT parquet)", cleaned.columns,
                                           cleaned.name, wanted, quote_text(local.string())));
  if (!count) return pass(count.error(), "writing rows of the table {}", record_.stream_table);
  rows.clean = count->integer();
  auto file = delta::put_data_file(store_, folder_, local, columns_);
  if (!file) return pass(file.error());
  rows.files.push_back(std::move(*file));
  return rows;
}

Result<> Target::forget(Engine& engine, sql::Connection& sql) {
  sql::drop_source(engine.database(), lake::source_name_of(record_));
  sql::drop_source(engine.database(), repeats_name(record_));
  return sql.execute(fmt::format("DROP TABLE IF EXISTS {}", cleaning_->name));
}

Result<delta::Committed> Target::commit(int64_t plan, std::vector<delta::DataFile> files, std::string commit_info) {
  return writer_->append({plan, std::move(files), std::move(commit_info)});
}

}  // namespace pinflow::stream
