#include "lake/query_session.h"

#include <fmt/format.h>

#include <utility>

#include "base/shutdown.h"
#include "lake/cleaning.h"
#include "lake/spill.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

using Progress = std::function<void(std::string_view step, double done)>;

class DuckDbQueries final : public QuerySession {
 public:
  DuckDbQueries(object::Store& store, std::unique_ptr<Spill> spill, std::unique_ptr<sql::Database> database,
                sql::Connection connection)
      : store_(store), spill_(std::move(spill)), database_(std::move(database)), sql_(std::move(connection)) {}

  Result<> add_view(const std::string& table, std::optional<delta::Snapshot> snapshot,
                    const std::vector<delta::Column>& columns) override {
    auto pinned = pin_files(store_, table, std::move(snapshot));
    if (!pinned) return pass(pinned.error());
    const std::string view = fmt::format("CREATE VIEW {} AS {}", sql::quote_name(table), select_of(*pinned, columns));
    tables_.push_back(std::move(*pinned));
    return sql_.execute(view);
  }

  Result<> add_name(const std::string& name, const std::string& table) override {
    return sql_.execute(
        fmt::format("CREATE VIEW {} AS SELECT * FROM {}", sql::quote_name(name), sql::quote_name(table)));
  }

  Result<sql::Table> ask(const std::string& sql, const sql::Origin& origin) override { return sql_.query(sql, origin); }

  void watch(const Progress& progress, const std::string& step) override {
    sql_.watch([progress, step](double done) {
      progress(step, done);
      return !stop_requested();
    });
  }

 private:
  object::Store& store_;
  const std::unique_ptr<Spill> spill_;
  const std::unique_ptr<sql::Database> database_;
  std::vector<PinnedTable> tables_;  // what keeps the views' files
  sql::Connection sql_;
};

class SparkQueries final : public QuerySession {
 public:
  SparkQueries(std::unique_ptr<spark::Session> session, std::string lake, std::string url)
      : spark_(std::move(session)), lake_(std::move(lake)), url_(std::move(url)) {}

  Result<> add_view(const std::string& table, std::optional<delta::Snapshot> snapshot,
                    const std::vector<delta::Column>& columns) override {
    if (snapshot) {
      auto made = spark_->create_view(table, "SELECT * FROM " + spark_table(lake_, table, snapshot->version));
      if (!made) return pass(at_lake(made.error(), lake_, url_));
      return made;
    }
    std::string nulls;
    for (const delta::Column& column : columns) {
      nulls += fmt::format("{}CAST(NULL AS {}) AS {}", nulls.empty() ? "" : ", ", column.type,
                           spark::quote_name(column.name));
    }
    return spark_->create_view(table, "SELECT " + nulls + " WHERE false");
  }

  Result<> add_name(const std::string& name, const std::string& table) override {
    return spark_->create_view(name, "SELECT * FROM " + spark::quote_name(table));
  }

  Result<sql::Table> ask(const std::string& sql, const sql::Origin& origin) override {
    auto answer = spark_->query(sql, origin);
    if (!answer) return pass(at_lake(answer.error(), lake_, url_));
    return answer;
  }

  void watch(const Progress& progress, const std::string& step) override {
    spark_->watch([progress, step](const spark::Progress& done) {
      progress(step, share_of(done));
      return !stop_requested();
    });
  }

 private:
  const std::unique_ptr<spark::Session> spark_;
  const std::string lake_;  // as Spark has it
  const std::string url_;   // as we have it
};

}  // namespace

Result<std::unique_ptr<QuerySession>> open_duckdb_queries(const pipeline::Pipeline& pipeline, object::Store& store,
                                                          int64_t memory_bytes, int threads) {
  auto spill = Spill::make(store);
  if (!spill) return pass(spill.error());
  auto database = sql::Database::open({memory_bytes, threads, (*spill)->path()});
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  if (auto known = run_prelude(*connection, pipeline); !known) return pass(known.error());
  return std::make_unique<DuckDbQueries>(store, std::move(*spill), std::move(*database), std::move(*connection));
}

Result<std::unique_ptr<QuerySession>> open_spark_queries(const pipeline::Pipeline& pipeline, const object::Store& store,
                                                         const SparkChoice& choice) {
  auto session = choice.open();
  if (!session) return pass(session.error());
  if (auto known = run_spark_prelude(**session, pipeline); !known) return pass(known.error());
  return std::make_unique<SparkQueries>(std::move(*session), choice.lake, store.url());
}

}  // namespace pinflow::lake
