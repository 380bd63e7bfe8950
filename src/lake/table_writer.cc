#include "lake/table_writer.h"

#include <fmt/format.h>

namespace pinflow::lake {
namespace {

using sql::quote_name;
using sql::quote_text;

// The keys that more than one row has, of the batch and the table together: only their rows can be repeats. At a
// million rows this costs a tenth of comparing all rows.
Result<int64_t> find_suspects(sql::Connection& sql, const std::string& key, const Cleaned& cleaned,
                              const PinnedTable& before) {
  std::string keys = fmt::format(
      "CREATE OR REPLACE TEMP TABLE suspects AS SELECT {0} AS key FROM {1} WHERE reason IS NULL GROUP BY {0} HAVING "
      "count(*) > 1",
      key, cleaned.name);
  if (!before.files.empty()) {
    keys += fmt::format(" UNION SELECT {0} FROM {1} WHERE {0} IN (SELECT {0} FROM {2} WHERE reason IS NULL)", key,
                        scan_of(before), cleaned.name);
  }
  if (auto made = sql.execute(keys); !made) return pass(made.error());
  const auto count = sql.value(fmt::format(
      "SELECT (SELECT count(*) FROM suspects) + (SELECT count(*) FROM {} WHERE reason IS NULL AND {} IS NULL)",
      cleaned.name, key));
  if (!count) return pass(count.error());
  return count->integer();
}

std::string without_repeats(const std::string& key, const Cleaned& cleaned, const PinnedTable& before) {
  // A row without a key is compared always: IN and NOT IN would lose it.
  const std::string suspect =
      fmt::format("({0} IS NULL OR {0} IN (SELECT key FROM suspects WHERE key IS NOT NULL))", key);
  std::string compared =
      fmt::format("SELECT DISTINCT {} FROM {} WHERE reason IS NULL AND {}", cleaned.columns, cleaned.name, suspect);
  if (!before.files.empty()) {
    compared += fmt::format(" EXCEPT SELECT {} FROM {} WHERE {}", cleaned.columns, scan_of(before), suspect);
  }
  return fmt::format("SELECT {} FROM {} WHERE reason IS NULL AND NOT {} UNION ALL ({})", cleaned.columns, cleaned.name,
                     suspect, compared);
}

}  // namespace

Result<Written> write_rows(sql::Connection& sql, const pipeline::RecordType& record, const Cleaned& cleaned,
                           bool drop_repeats, const PinnedTable& before, const std::filesystem::path& file) {
  const int64_t good = cleaned.raw - cleaned.dead;
  if (good == 0) return Written{};
  std::string rows = fmt::format("SELECT {} FROM {} WHERE reason IS NULL", cleaned.columns, cleaned.name);
  if (drop_repeats) {
    const std::string key = quote_name(record.key);
    const auto suspects = find_suspects(sql, key, cleaned, before);
    if (!suspects) return pass(suspects.error());
    if (*suspects > 0) rows = without_repeats(key, cleaned, before);
  }
  const auto count = sql.value(fmt::format("COPY ({}) TO {} (FORMAT parquet)", rows, quote_text(file.string())));
  if (!count) return pass(count.error(), "writing rows of the table {}", record.table);
  const Written written{count->integer(), good - count->integer()};
  if (written.clean == 0) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
  return written;
}

}  // namespace pinflow::lake
