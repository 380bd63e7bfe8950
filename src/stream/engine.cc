#include "stream/engine.h"

#include "lake/cleaning.h"

namespace pinflow::stream {

Result<> Engine::open() {
  auto spill = lake::Spill::make(store_);
  if (!spill) return pass(spill.error());
  auto database = sql::Database::open({memory_bytes_, threads_, (*spill)->path() / "spilled"});
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  if (auto known = lake::run_prelude(*connection, pipeline_); !known) return pass(known.error());
  spill_ = std::move(*spill);
  database_ = std::move(*database);
  return {};
}

Result<sql::Connection> Engine::connect() {
  const std::lock_guard lock(mutex_);
  if (database_ == nullptr) {
    if (auto opened = open(); !opened) return pass(opened.error());
  }
  return database_->connect();
}

std::filesystem::path Engine::new_file() {
  const std::lock_guard lock(mutex_);
  return spill_->new_file(".parquet");
}

}  // namespace pinflow::stream
