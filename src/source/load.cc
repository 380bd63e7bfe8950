#include "source/load.h"

#include <simdjson.h>

#include <fstream>

#include "base/files.h"
#include "base/shutdown.h"
#include "pipeline/problems.h"
#include "source/database.h"

namespace pinflow::source {
namespace {

using pipeline::SourceColumn;

constexpr int64_t lines_between_looks = 4096;  // at the progress and at a wish to stop

// Turns one line at a time into a row.
class LineReader {
 public:
  explicit LineReader(const Table& table) : table_(table), row_(table.columns.size()) {
    for (const SourceColumn& column : table.columns) names_.push_back(column.name);
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == table.key) key_ = i;
    }
  }

  Result<const Row*> read(const std::string& line) {
    simdjson::dom::element element;
    if (const auto error = parser_.parse(line).get(element))
      return invalid("not JSON: {}", simdjson::error_message(error));
    simdjson::dom::object object;
    if (element.get(object)) return invalid("not a JSON object; write one object a line");
    seen_.assign(row_.size(), 0);
    for (Value& value : row_) value.set_null();
    for (const auto& [name, json] : object) {
      const size_t column = find(name);
      if (column == row_.size()) {
        return invalid("the table '{}' has no column '{}'{}", table_.name, name, pipeline::suggestion(name, names_));
      }
      if (seen_[column] != 0) return invalid("the column '{}' is given twice", name);
      seen_[column] = 1;
      if (auto put = set(row_[column], json); !put) return pass(put.error(), "the column '{}'", name);
      if (auto fits = fit(row_[column], table_.columns[column]); !fits)
        return pass(fits.error(), "the column '{}'", name);
    }
    if (row_[key_].kind == Value::Kind::null) return invalid("lacks the key '{}'", table_.key);
    return &row_;
  }

 private:
  // Objects mostly have their columns in the table's order.
  size_t find(std::string_view name) {
    for (size_t tried = 0; tried < names_.size(); ++tried) {
      const size_t column = next_ < names_.size() ? next_ : 0;
      next_ = column + 1;
      if (names_[column] == name) return column;
    }
    return names_.size();
  }

  static Result<> set(Value& to, const simdjson::dom::element& json) {
    switch (json.type()) {
      case simdjson::dom::element_type::NULL_VALUE: to.set_null(); return {};
      case simdjson::dom::element_type::INT64: to.set(int64_t{json}); return {};
      case simdjson::dom::element_type::DOUBLE: to.set(double{json}); return {};
      case simdjson::dom::element_type::STRING: to.set(std::string_view{json}); return {};
      case simdjson::dom::element_type::UINT64: return invalid("the number is above {}", INT64_MAX);
      case simdjson::dom::element_type::BOOL: return invalid("true and false fit no column");
      case simdjson::dom::element_type::ARRAY: return invalid("a list fits no column");
      case simdjson::dom::element_type::OBJECT: return invalid("an object fits no column");
    }
    std::abort();
  }

  const Table& table_;
  simdjson::dom::parser parser_{max_line_bytes};
  std::vector<std::string> names_;
  size_t next_ = 0, key_ = 0;
  std::vector<char> seen_;
  Row row_;
};

Result<int64_t> load_file(const std::filesystem::path& file, const Table& table, RowWriter& writer,
                          const Progress& progress) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return not_found("{}: cannot be opened; is it readable?", file.string());
  const auto total = static_cast<int64_t>(std::filesystem::file_size(file));
  LineReader reader(table);
  std::string line;
  int64_t number = 0, rows = 0, bytes = 0;
  while (std::getline(in, line)) {
    ++number;
    bytes += static_cast<int64_t>(line.size()) + 1;
    if (number % lines_between_looks == 0) {
      if (progress) progress(table.name, bytes, total);
      if (stop_requested()) return fail(Code::cancelled, "stopped while loading {}; nothing was loaded", file.string());
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (line.size() > max_line_bytes)
      return invalid("{}:{}: longer than {} bytes", file.string(), number, max_line_bytes);
    const auto row = reader.read(line);
    if (!row) return pass(row.error(), "{}:{}", file.string(), number);
    if (auto put = writer.put(**row); !put) return pass(put.error(), "{}:{} or shortly before", file.string(), number);
    ++rows;
  }
  if (in.bad()) return fail(Code::corrupt, "{}: reading failed after {} bytes", file.string(), bytes);
  if (auto flushed = writer.flush(); !flushed) return pass(flushed.error(), "{}, near its end", file.string());
  if (progress) progress(table.name, total, total);
  return rows;
}

}  // namespace

Result<std::vector<TableCount>> count_rows(const SourceUrl& url, const pipeline::Pipeline& pipeline) {
  auto database = Database::open(url, Database::Access::read);
  if (!database) return pass(database.error());
  std::vector<TableCount> counts;
  for (const auto& record : pipeline.records) {
    const Table table = source_table(record);
    const auto exists = (*database)->exists(table);
    if (!exists) return pass(exists.error());
    if (!*exists) {
      return not_found(
          "{}: there is no table '{}'; make the tables with `pinflow source generate` or `pinflow source load`",
          url.redacted(), table.name);
    }
    const auto rows = (*database)->count(table);
    if (!rows) return pass(rows.error());
    counts.push_back({table.name, *rows});
  }
  return counts;
}

Result<std::vector<Loaded>> load_folder(const SourceUrl& url, const pipeline::Pipeline& pipeline,
                                        const std::filesystem::path& folder, const Progress& progress) {
  std::vector<Table> tables;
  for (const auto& record : pipeline.records) {
    tables.push_back(source_table(record));
    std::error_code ignored;
    const auto file = folder / (tables.back().name + ".jsonl");
    if (!std::filesystem::is_regular_file(file, ignored)) {
      return not_found("{}: there is no such file; the folder must hold a file <table>.jsonl for each source table",
                       file.string());
    }
  }
  auto database = Database::open(url, Database::Access::write);
  if (!database) return pass(database.error());
  for (const Table& table : tables) {
    if (auto made = (*database)->create(table); !made) return pass(made.error());
  }
  if (auto begun = (*database)->begin(); !begun) return pass(begun.error());
  std::vector<Loaded> loaded;
  for (const Table& table : tables) {
    const auto before = (*database)->count(table);
    if (!before) return pass(before.error());
    auto writer = (*database)->writer(table);
    if (!writer) return pass(writer.error());
    const auto read = load_file(folder / (table.name + ".jsonl"), table, **writer, progress);
    if (!read) return pass(read.error());
    const auto after = (*database)->count(table);
    if (!after) return pass(after.error());
    loaded.push_back({table.name, *read, *after - *before, *read - (*after - *before), *after});
  }
  if (auto committed = (*database)->commit(); !committed) return pass(committed.error());
  return loaded;
}

}  // namespace pinflow::source
