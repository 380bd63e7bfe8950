#include "lake/duckdb_engine.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "delta/data_file.h"
#include "lake/cleaning.h"
#include "lake/spill.h"
#include "lake/table_files.h"
#include "lake/table_writer.h"
#include "sql/duckdb.h"

namespace pinflow::lake {
namespace {

class DuckDbEngine final : public Engine {
 public:
  DuckDbEngine(object::Store& store, std::unique_ptr<Spill> spill, std::unique_ptr<sql::Database> database,
               sql::Connection connection)
      : store_(store), spill_(std::move(spill)), database_(std::move(database)), sql_(std::move(connection)) {}

  Result<CleanedCounts> clean(const pipeline::RecordType& record, std::vector<TopicObject> objects,
                              const std::string& date) override {
    auto source = std::make_shared<RecordSource>(store_, std::move(objects), record.fields);
    auto cleaned = lake::clean(*database_, sql_, record, source, date);
    if (!cleaned) return pass(cleaned.error());
    CleanedCounts counts{cleaned->raw, cleaned->dead, cleaned->noted, source->objects(), source->totals().ends};
    cleaned_.insert_or_assign(record.name, std::move(*cleaned));
    return counts;
  }

  Result<std::vector<delta::DataFile>> write_dead(const std::vector<const pipeline::RecordType*>& records,
                                                  int64_t plan) override {
    std::string letters;
    for (const pipeline::RecordType* record : records) {
      const Cleaned& cleaned = cleaned_.at(record->name);
      if (cleaned.dead == 0) continue;
      letters += (letters.empty() ? "" : " UNION ALL ") + dead_letters_of(*record, cleaned, plan);
    }
    if (letters.empty()) return std::vector<delta::DataFile>();
    const auto local = spill_->new_file(".parquet");
    auto written =
        sql_.execute(fmt::format("COPY ({}) TO {} (FORMAT parquet)", letters, sql::quote_text(local.string())));
    if (!written) return pass(written.error());
    auto file = delta::put_data_file(store_, table_folder(kDeadTable), local, dead_columns());
    if (!file) return pass(file.error());
    return std::vector<delta::DataFile>{std::move(*file)};
  }

  Result<WrittenFiles> write_rows(const pipeline::RecordType& record, bool drop_repeats,
                                  const std::optional<delta::Snapshot>& before) override {
    auto pinned = pin_files(store_, record.table, drop_repeats ? before : std::nullopt, delta_columns(record.columns));
    if (!pinned) return pass(pinned.error());
    const auto local = spill_->new_file(".parquet");
    const auto written = lake::write_rows(sql_, record, cleaned_.at(record.name), drop_repeats, *pinned, local);
    if (!written) return pass(written.error());
    WrittenFiles files{{}, written->clean, written->duplicates};
    if (written->clean == 0) return files;
    auto file = delta::put_data_file(store_, table_folder(record.table), local, delta_columns(record.columns));
    if (!file) return pass(file.error());
    files.files.push_back(std::move(*file));
    return files;
  }

  Result<> forget(const pipeline::RecordType& record) override {
    cleaned_.erase(record.name);
    return lake::forget(*database_, sql_, record);
  }

 private:
  object::Store& store_;
  const std::unique_ptr<Spill> spill_;  // goes behind the database, which has files in it
  const std::unique_ptr<sql::Database> database_;
  sql::Connection sql_;
  std::map<std::string, Cleaned> cleaned_;  // by record type
};

}  // namespace

Result<std::unique_ptr<Engine>> open_duckdb_engine(const pipeline::Pipeline& pipeline, object::Store& store,
                                                   const DuckDbOptions& options) {
  auto spill = Spill::make(store);
  if (!spill) return pass(spill.error());
  auto database = sql::Database::open({options.memory_bytes, options.threads, (*spill)->path() / "spilled"});
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  if (auto known = run_prelude(*connection, pipeline); !known) return pass(known.error());
  if (options.watch) connection->watch(options.watch);
  return std::make_unique<DuckDbEngine>(store, std::move(*spill), std::move(*database), std::move(*connection));
}

}  // namespace pinflow::lake
