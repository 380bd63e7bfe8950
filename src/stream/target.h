// One table that a stream feeds, held open: its Delta log, what it was lately given, its cleaning. Owned by the
// stream's worker, used by its thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "delta/writer.h"
#include "lake/cleaning.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "stream/batch.h"
#include "stream/engine.h"
#include "stream/window.h"

namespace pinflow::stream {

// "pinflow:pinterest:stream:streaming-local-pin:pin_stream"
std::string app_id(const std::string& pipeline, const std::string& feed, const std::string& table);

struct TargetRows {
  int64_t clean = 0, duplicates = 0;
  std::vector<delta::DataFile> files;  // none where clean is 0
};

class Target {
 public:
  // Reads the table's log. `feed`: the stream's key.
  static Result<std::unique_ptr<Target>> open(object::Store& store, const pipeline::Pipeline& pipeline,
                                              const pipeline::RecordType& record, const std::string& feed);

  const pipeline::RecordType& record() const { return record_; }
  const std::string& cleaning_digest() const { return digest_; }
  int64_t done() const { return writer_->txn_version(); }       // the last plan that the table has; -1: none
  std::string table_id() const { return writer_->table_id(); }  // empty: there is no table yet
  bool has_cleaned() const { return has_cleaned_; }             // well, since it was opened
  int64_t rows_before() const { return rows_before_; }          // when it was opened
  int64_t window_rows() const { return window_.size(); }

  // Cleans the batch's records of this type; the rows wait in the session for write(). `source` outlives that.
  Result<lake::Cleaned> clean(Engine& engine, sql::Connection& sql, const std::shared_ptr<BatchSource>& source,
                              const std::string& date);
  // The good rows without repeats as a file of the table, which no commit names yet. What is written counts as given.
  Result<TargetRows> write(Engine& engine, sql::Connection& sql, const lake::Cleaned& cleaned);
  Result<> forget(Engine& engine, sql::Connection& sql);

  Result<delta::Committed> commit(int64_t plan, std::vector<delta::DataFile> files, std::string commit_info);

 private:
  Target(object::Store& store, const pipeline::Pipeline& pipeline, const pipeline::RecordType& record);

  Result<> fill_window(sql::Connection& sql);
  Result<std::vector<int64_t>> find_repeats(sql::Connection& sql, const lake::Cleaned& cleaned);
  std::string marks_of(const std::string& from) const;

  object::Store& store_;
  const pipeline::Pipeline& pipeline_;
  const pipeline::RecordType& record_;
  const std::string folder_;
  const std::vector<delta::Column> columns_;
  const std::string digest_;
  std::unique_ptr<delta::TableWriter> writer_;
  int64_t rows_before_ = 0;
  bool has_cleaned_ = false;
  Window window_;
  bool window_filled_ = false;
  std::vector<delta::DataFile> recent_;  // that the window is filled from, until it is
  std::string date_;
  std::optional<lake::PreparedCleaning> cleaning_;  // for date_
};

}  // namespace pinflow::stream
