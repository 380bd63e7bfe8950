#include "source/generate.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>

#include "base/files.h"
#include "base/shutdown.h"
#include "source/database.h"
#include "source/generator.h"

namespace pinflow::source {
namespace {

constexpr std::string_view partial_mark = ".partial-";
constexpr int64_t posts_between_looks = 4096;  // at the progress and at a wish to stop

Result<> write_posts(Database& database, const std::vector<Table>& tables, Generator& generator,
                     const GenerateOptions& options, const Progress& progress) {
  std::vector<std::unique_ptr<RowWriter>> writers;
  for (const Table& table : tables) {
    auto writer = database.writer(table);
    if (!writer) return pass(writer.error());
    writers.push_back(std::move(*writer));
  }
  std::vector<Row> rows;
  for (int64_t n = 0; n < options.posts; ++n) {
    generator.rows(n, rows);
    for (size_t i = 0; i < writers.size(); ++i) {
      if (auto put = writers[i]->put(rows[i]); !put) return pass(put.error());
    }
    if (n % posts_between_looks != 0) continue;
    if (progress) progress("posts", n, options.posts);
    if (stop_requested()) return fail(Code::cancelled, "stopped after {} of {} posts; none is kept", n, options.posts);
  }
  for (const auto& writer : writers) {
    if (auto flushed = writer->flush(); !flushed) return pass(flushed.error());
  }
  if (progress) progress("posts", options.posts, options.posts);
  return {};
}

Result<> fill(Database& database, const SourceUrl& url, const std::vector<Table>& tables, Generator& generator,
              const GenerateOptions& options, const Progress& progress) {
  for (const Table& table : tables) {
    if (auto made = database.create(table); !made) return made;
  }
  if (auto begun = database.begin(); !begun) return begun;
  for (const Table& table : tables) {
    const auto rows = database.count(table);
    if (!rows) return pass(rows.error());
    if (*rows > 0 && !options.replace) {
      return fail(Code::already_exists,
                  "{}: the table '{}' holds {} rows; replace them with --replace, or name another --source",
                  url.redacted(), table.name, *rows);
    }
    if (*rows > 0) {
      if (auto cleared = database.clear(table); !cleared) return cleared;
    }
  }
  if (auto written = write_posts(database, tables, generator, options, progress); !written) return written;
  return database.commit();
}

// What processes that were killed left beside `file`: FILE.partial-PID.
void remove_leftovers(const std::filesystem::path& file) {
  const std::string prefix = file.filename().string() + std::string(partial_mark);
  std::error_code ignored;
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    pid_t owner = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), owner);
    if (error != std::errc{} || end != name.data() + name.size() || owner <= 0) continue;
    if (::kill(owner, 0) != 0 && errno == ESRCH) std::filesystem::remove(entry.path(), ignored);
  }
}

// A new SQLite file is made under another name without a journal (4 times as fast), and linked to its own when it is on
// the disk.
Result<> fill_new_file(const SourceUrl& url, const std::vector<Table>& tables, Generator& generator,
                       const GenerateOptions& options, const Progress& progress) {
  SourceUrl partial = url;
  partial.file += fmt::format("{}{}", partial_mark, ::getpid());
  std::error_code ignored;
  remove_leftovers(url.file);
  std::filesystem::remove(partial.file, ignored);
  auto database = Database::open(partial, Database::Access::fresh);
  if (!database) return pass(database.error());
  Result<> filled = fill(**database, url, tables, generator, options, progress);
  database->reset();
  if (filled) filled = link_file(partial.file, url.file);
  std::filesystem::remove(partial.file, ignored);
  return filled;
}

}  // namespace

Result<> generate(const SourceUrl& url, const pipeline::Pipeline& pipeline, const GenerateOptions& options,
                  const Progress& progress) {
  if (options.posts < 0) return invalid("--posts {} is below 0", options.posts);
  auto generator = Generator::load(pipeline.generator, pipeline, options.seed);
  if (!generator) return pass(generator.error());
  std::vector<Table> tables;
  for (const auto& record : pipeline.records) tables.push_back(source_table(record));
  std::error_code ignored;
  if (url.kind == SourceUrl::Kind::sqlite && !std::filesystem::exists(url.file, ignored)) {
    return fill_new_file(url, tables, *generator, options, progress);
  }
  auto database = Database::open(url, Database::Access::write);
  if (!database) return pass(database.error());
  return fill(**database, url, tables, *generator, options, progress);
}

}  // namespace pinflow::source
