// The dead letters of one micro-batch: which records, why, and from where; as rows of the table `dead_stream`. Filled
// by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "gate/json_gate.h"
#include "lake/cleaning.h"
#include "object/store.h"
#include "sql/duckdb.h"
#include "stream/batch.h"
#include "stream/engine.h"

namespace pinflow::stream {

inline constexpr std::string_view kUnrouted = "partition key of no record type";

class DeadLetters {
 public:
  DeadLetters(const Batch& batch, const std::string& stream, int64_t plan)
      : batch_(batch), stream_(stream), plan_(plan) {}

  // Those among the cleaned. What the cleaning calls no object is told by the gate, where it refuses it.
  Result<> add(sql::Connection& sql, const std::string& table, const lake::Cleaned& cleaned);
  void add_unrouted();

  bool empty() const { return letters_.empty(); }
  size_t size() const { return letters_.size(); }

  // As a file of the table, which no commit names yet.
  Result<delta::DataFile> write(object::Store& store, Engine& engine, sql::Connection& sql) const;

 private:
  struct Letter {
    std::string table, reason, record;
    size_t line = 0;
  };
  class Rows;

  void add(std::string table, std::string reason, size_t line);

  const Batch& batch_;
  const std::string stream_;
  const int64_t plan_;
  std::vector<Letter> letters_;
  gate::JsonGate gate_;
};

}  // namespace pinflow::stream
