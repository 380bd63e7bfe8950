#include "lake/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "lake/cleaning.h"
#include "lake/query_session.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

// What answers, and the version of each table that it has.
struct Session {
  std::unique_ptr<QuerySession> asked;
  std::map<std::string, int64_t> versions;
  VersionChoice choice;
  std::optional<std::vector<std::string>> read;  // the tables that have views; nothing: all
  std::vector<std::string> tables;
};

Result<> add_view(Session& session, object::Store& store, const std::string& table,
                  const std::vector<delta::Column>& columns) {
  if (session.read && std::ranges::find(*session.read, table) == session.read->end()) return {};
  auto snapshot = find_snapshot(store, table, session.choice);
  if (!snapshot) return pass(snapshot.error());
  const auto has = *snapshot ? (*snapshot)->columns() : columns;
  if (has.empty()) return {};  // a table that no record type declares and that is not there
  session.versions[table] = *snapshot ? (*snapshot)->version : -1;
  session.tables.push_back(table);
  return session.asked->add_view(table, std::move(*snapshot), has);
}

// Where a profile names tables otherwise, the queries still say the record types' names. A table's own name wins.
Result<> add_views_of_records(Session& session, const pipeline::Pipeline& pipeline) {
  for (const pipeline::RecordType& record : pipeline.records) {
    const bool taken = std::ranges::any_of(session.tables, [&](const std::string& table) {
      return std::ranges::equal(table, record.name, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);  // as the engine compares names
      });
    });
    if (taken || !session.versions.contains(record.table)) continue;
    auto made = session.asked->add_name(record.name, record.table);
    if (!made) return made;
  }
  return {};
}

// For these texts. Where versions of the past are asked for, only the tables that they name are looked at: others may
// not have been there.
Result<Session> open_session(const pipeline::Pipeline& pipeline, object::Store& store, const QueryOptions& options,
                             const std::vector<std::string>& sql) {
  Session session;
  if (!options.versions.newest()) {
    session.read = tables_in(pipeline, sql);
    auto choice = settle(options.versions, *session.read);
    if (!choice) return pass(choice.error());
    session.choice = std::move(*choice);
  }
  auto asked = options.spark ? open_spark_queries(pipeline, store, options.spark)
                             : open_duckdb_queries(pipeline, store, options.memory_bytes, options.threads);
  if (!asked) return pass(asked.error());
  session.asked = std::move(*asked);
  for (const pipeline::RecordType& record : pipeline.records) {
    if (auto added = add_view(session, store, record.table, delta_columns(record.columns)); !added)
      return pass(added.error());
    if (record.stream_table.empty() || record.stream_table == record.table) continue;
    if (auto added = add_view(session, store, record.stream_table, delta_columns(record.columns)); !added) {
      return pass(added.error());
    }
  }
  if (auto added = add_view(session, store, kDeadTable, dead_columns()); !added) return pass(added.error());
  if (auto added = add_view(session, store, kDeadStreamTable, dead_stream_columns()); !added)
    return pass(added.error());
  if (auto added = add_views_of_records(session, pipeline); !added) return pass(added.error());
  return session;
}

std::string label_of(const QueryOptions& options) {
  return options.date.empty() ? iso_time(now_ms()).substr(0, 10) : options.date;
}

void watch(Session& session, const QueryOptions& options, const std::string& step) {
  if (!options.progress) return;
  options.progress(step, 0);
  session.asked->watch(options.progress, step);
}

std::vector<std::string> names_of(const pipeline::Pipeline& pipeline) {
  std::vector<std::string> names;
  for (const pipeline::Query& query : pipeline.queries) names.push_back(query.name);
  return names;
}

}  // namespace

Result<Answers> run_queries(const pipeline::Pipeline& pipeline, object::Store& store,
                            const std::vector<std::string>& names, const QueryOptions& options) {
  const auto wanted = names.empty() ? names_of(pipeline) : names;
  for (const std::string& name : wanted) {
    if (pipeline.find_query(name) == nullptr) {
      return not_found("there is no query '{}'; there are: {}", name, fmt::join(names_of(pipeline), ", "));
    }
  }
  std::vector<std::string> texts;
  for (const std::string& name : wanted) texts.push_back(pipeline.find_query(name)->sql.text);
  auto session = open_session(pipeline, store, options, texts);
  if (!session) return pass(session.error());
  Answers answers{session->versions, label_of(options), {}, {}};
  if (options.checks) {
    watch(*session, options, "checks");
    auto checked = run_checks(pipeline, *session->asked, answers.date);
    if (!checked) return pass(checked.error());
    answers.checks = std::move(*checked);
    if (any_failed(answers.checks)) return answers;
  }
  for (const std::string& name : wanted) {
    const pipeline::Query& query = *pipeline.find_query(name);
    watch(*session, options, "query " + name);
    const Stopwatch clock;
    const std::string_view text =
        std::string_view(query.sql.text).substr(0, query.sql.text.find_last_not_of(" \t\r\n") + 1);
    const auto lines = static_cast<int>(std::ranges::count(text, '\n')) + 1;
    auto rows = session->asked->ask(with_date(query.sql.text, answers.date), {query.sql.file.string(), 1, lines});
    if (!rows) return pass(rows.error());
    answers.all.push_back({name, query.title, std::move(*rows), clock.seconds()});
  }
  return answers;
}

Result<sql::Table> run_sql(const pipeline::Pipeline& pipeline, object::Store& store, const std::string& sql,
                           const QueryOptions& options) {
  auto session = open_session(pipeline, store, options, {sql});
  if (!session) return pass(session.error());
  watch(*session, options, "query");
  return session->asked->ask(with_date(sql, label_of(options)), {});
}

Result<> store_answers(object::Store& store, const std::string& key, const Answers& answers) {
  for (const Answer& answer : answers.all) {
    JsonWriter json;
    json.begin_object();
    json.key("query").string(answer.query);
    json.key("title").string(answer.title);
    json.key("date").string(answers.date);
    json.key("tables").begin_object();
    for (const auto& [table, version] : answers.versions) json.key(table).number(version);
    json.end_object();
    json.key("rows").raw(as_json(answer.rows));
    json.end_object();
    if (auto put = store.put(fmt::format("answers/{}/{}.json", key, answer.query), json.text() + "\n"); !put) {
      return pass(put.error(), "storing the answer to {}", answer.query);
    }
  }
  return {};
}

}  // namespace pinflow::lake
