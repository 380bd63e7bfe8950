#include "stream/engine.h"

#include <chrono>
#include <optional>

#include "base/shutdown.h"
#include "lake/cleaning.h"

namespace pinflow::stream {
namespace {

constexpr std::chrono::seconds kStopGrace{20};

// A stop lets the micro-batch that is at work end, and `pinflow up` lets all that is in the streams into the tables;
// only a statement that is still at it long after a stop is ended.
sql::Watch patient_watch() {
  using Clock = std::chrono::steady_clock;
  return [stop_seen = std::optional<Clock::time_point>()](double) mutable {
    if (!stop_requested()) return true;
    if (!stop_seen) stop_seen = Clock::now();
    return Clock::now() - *stop_seen < kStopGrace;
  };
}

}  // namespace

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
  auto connection = database_->connect();
  if (connection) connection->watch(patient_watch());
  return connection;
}

std::filesystem::path Engine::new_file() {
  const std::lock_guard lock(mutex_);
  return spill_->new_file(".parquet");
}

}  // namespace pinflow::stream
