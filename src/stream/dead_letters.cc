#include "stream/dead_letters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "delta/data_file.h"
#include "lake/record_source.h"
#include "lake/table_files.h"
#include "sql/row_source.h"
#include "stream/decode.h"

namespace pinflow::stream {

// Columns as lake::dead_stream_columns().
class DeadLetters::Rows final : public sql::RowSource {
 public:
  explicit Rows(const DeadLetters& letters) : letters_(letters) {
    for (const delta::Column& column : lake::dead_stream_columns()) {
      using Kind = sql::SourceColumn::Kind;
      columns_.push_back({column.name, column.type == "long" ? Kind::integer : Kind::text});
    }
  }
  const std::vector<sql::SourceColumn>& columns() const override { return columns_; }
  int64_t about() const override { return static_cast<int64_t>(letters_.letters_.size()); }
  size_t most_readers() const override { return 1; }
  Result<std::unique_ptr<sql::RowScan>> scan(const std::vector<bool>&) override {
    return std::make_unique<Scan>(letters_);
  }

 private:
  struct Reader final : sql::RowReader {
    explicit Reader(const DeadLetters& letters) : of(letters) {}
    Result<size_t> fill(sql::RowChunk& chunk) override {
      size_t row = 0;
      size_t bytes = 0;
      constexpr size_t kChunkBytes = 4 << 20;
      for (; row < sql::RowChunk::kRows && next < of.letters_.size() && bytes < kChunkBytes; ++row, ++next) {
        const Letter& letter = of.letters_[next];
        const Batch::Line& line = of.batch_.line(letter.line);
        chunk.set_text(0, row, letter.table);
        chunk.set_text(1, row, letter.reason);
        chunk.set_text(2, row, of.stream_);
        chunk.set_text(3, row, *line.shard);
        chunk.set_text(4, row, line.record->position);
        chunk.set_text(5, row, letter.record);
        chunk.set_integer(6, row, of.plan_);
        bytes += letter.record.size();
      }
      return row;
    }
    const DeadLetters& of;
    size_t next = 0;
  };
  struct Scan final : sql::RowScan {
    explicit Scan(const DeadLetters& letters) : of(letters) {}
    std::unique_ptr<sql::RowReader> reader() override { return std::make_unique<Reader>(of); }
    const DeadLetters& of;
  };

  const DeadLetters& letters_;
  std::vector<sql::SourceColumn> columns_;
};

void DeadLetters::add(std::string table, std::string reason, size_t line) {
  std::string decoded;
  const std::string_view text = record_of(batch_.line(line).record->data, decoded);
  std::string compact;
  const auto passed = gate_.accept(text, compact);
  const bool engines = reason == lake::kNotAnObject || reason == lake::kTooLong;
  if (!passed && engines) reason = gate::text_of(passed.error());
  std::string shown = passed ? std::move(compact) : repaired_utf8(utf8_prefix(text, lake::kShownOfTooLong));
  if (!passed && text.size() <= gate::kMaxRecordBytes) shown = repaired_utf8(text);
  letters_.push_back({std::move(table), std::move(reason), std::move(shown), line});
}

Result<> DeadLetters::add(sql::Connection& sql, const std::string& table, const lake::Cleaned& cleaned) {
  if (cleaned.dead == 0) return {};
  const auto dead =
      sql.query(fmt::format("SELECT line, reason FROM {} WHERE reason IS NOT NULL ORDER BY line", cleaned.name));
  if (!dead) return pass(dead.error(), "reading the dead letters of the table {}", table);
  for (const auto& row : dead->rows) add(table, row[1].text(), static_cast<size_t>(row[0].integer()));
  return {};
}

void DeadLetters::add_unrouted() {
  for (const uint32_t line : batch_.unrouted()) add("", std::string(kUnrouted), line);
}

Result<delta::DataFile> DeadLetters::write(object::Store& store, Engine& engine, sql::Connection& sql) const {
  const std::string source = "dead_" + stream_;
  sql::put_source(engine.database(), source, std::make_shared<Rows>(*this));
  const std::filesystem::path local = engine.new_file();
  const auto written = sql.execute(fmt::format("COPY (SELECT * FROM pinflow_rows({})) TO {} (FORMAT parquet)",
                                               sql::quote_text(source), sql::quote_text(local.string())));
  sql::drop_source(engine.database(), source);
  if (!written) return pass(written.error(), "writing the dead letters of plan {} of {}", plan_, stream_);
  return delta::put_data_file(store, lake::table_folder(lake::kDeadStreamTable), local, lake::dead_stream_columns());
}

}  // namespace pinflow::stream
