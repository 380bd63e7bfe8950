#include "delta/checkpoint.h"

#include <simdjson.h>

#include <algorithm>
#include <fstream>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "delta/log_names.h"
#include "delta/properties.h"
#include "delta/uuid.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

// A line of JSON that DuckDB reads at once: a table's schema is one. Its own default is 16 MiB.
constexpr size_t kLeastObjectSize = 16 << 20;

// Every key of every action that we write, typed: a column that is missing or typed by guess is not read by all.
constexpr std::string_view kColumns =
    "{txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)', "
    "add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, "
    "dataChange BOOLEAN, tags MAP(VARCHAR, VARCHAR), stats VARCHAR)', "
    "remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, "
    "partitionValues MAP(VARCHAR, VARCHAR), size BIGINT)', "
    "metaData: 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, "
    "options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], "
    "configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT)', "
    "protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], "
    "writerFeatures VARCHAR[])'}";

// A file of ours in the staging folder, gone at the end.
class Scratch {
 public:
  Scratch(const object::Store& store, std::string_view suffix)
      : path_(store.staging() / fmt::format(".checkpoint-{}{}", new_uuid(), suffix)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// An engine for one call. It goes on when the program is asked to stop: what it does is short.
struct Engine {
  std::unique_ptr<sql::Database> database;
  sql::Connection connection;
};

Result<Engine> open_engine() {
  sql::DatabaseOptions options;
  options.threads = 1;
  auto database = sql::Database::open(options);
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  connection->watch([](double) { return true; });
  return Engine{std::move(*database), std::move(*connection)};
}

Actions actions_of(const Snapshot& snapshot) {
  Actions actions;
  actions.protocol = snapshot.protocol;
  actions.metadata = snapshot.metadata;
  actions.added = snapshot.files;
  for (const auto& [app_id, txn] : snapshot.txns) actions.txns.push_back(txn);
  const auto retention = file_retention_ms(snapshot.metadata);  // one that cannot be read keeps all
  const int64_t oldest = retention ? now_ms() - *retention : 0;
  for (const Removed& removed : snapshot.tombstones) {
    if (removed.deletion_ms >= oldest) actions.removed.push_back(removed);
  }
  return actions;
}

size_t longest_line(std::string_view lines) {
  size_t longest = 0;
  for (size_t start = 0; start < lines.size();) {
    const size_t end = lines.find('\n', start);
    longest = std::max(longest, end - start);
    start = end + 1;
  }
  return longest;
}

Result<> write_parquet(std::string_view lines, const std::filesystem::path& from, const std::filesystem::path& to) {
  {
    std::ofstream out(from, std::ios::binary);
    out.write(lines.data(), static_cast<std::streamsize>(lines.size()));
    out.close();
    if (!out) return system_error(errno, fmt::format("write {}", from.string()));
  }
  auto engine = open_engine();
  if (!engine) return pass(engine.error());
  return engine->connection.execute(fmt::format(
      "COPY (SELECT txn, \"add\", remove, metaData, protocol FROM read_json({}, format = 'newline_delimited', "
      "columns = {}, maximum_object_size = {})) TO {} (FORMAT parquet, COMPRESSION snappy)",
      sql::quote_text(from.string()), kColumns, std::max(kLeastObjectSize, 2 * longest_line(lines)),
      sql::quote_text(to.string())));
}

// One file of a checkpoint, by pages: a large one has millions of rows. Its rows of protocol, metaData and txn alone
// where `rules_only`: what it then reads of the columns `add` and `remove` is whether they are null.
Result<> read_part(sql::Connection& connection, const std::filesystem::path& path, const std::string& name,
                   bool rules_only, Actions& actions) {
  const std::string file = sql::quote_text(path.string());
  const auto shape = connection.query(fmt::format("DESCRIBE SELECT * FROM read_parquet({})", file));
  if (!shape) return pass(shape.error(), "{}", name);
  std::string rules, none = "true";
  for (const auto& row : shape->rows) {
    const std::string& column = row.front().text();
    if (column == "protocol" || column == "metaData" || column == "txn") {
      rules += (rules.empty() ? "" : ", ") + fmt::format("{0} := {0}", sql::quote_name(column));
      none += fmt::format(" AND {} IS NULL", sql::quote_name(column));
    }
  }
  if (rules.empty()) return corrupt("{}: no checkpoint: it has neither protocol nor metaData", name);
  const std::string what = rules_only ? fmt::format("to_json(struct_pack({}))", rules) : "to_json(action)";
  const std::string rows = fmt::format("read_parquet({}, file_row_number = true)", file);
  const auto count = connection.value(fmt::format("SELECT count(*) FROM read_parquet({})", file));
  if (!count) return pass(count.error(), "{}", name);
  const int64_t page = rules_only ? count->integer() : kCheckpointPage;
  for (int64_t from = 0; from < count->integer(); from += page) {
    const auto lines = connection.query(fmt::format(
        "SELECT CAST({} AS VARCHAR) FROM {} AS action WHERE file_row_number >= {} AND file_row_number < {}{}", what,
        rows, from, from + page, rules_only ? fmt::format(" AND NOT ({})", none) : ""));
    if (!lines) return pass(lines.error(), "{}", name);
    std::string text;
    for (const auto& row : lines->rows) text.append(row.front().text()).push_back('\n');
    auto part = parse_actions(text, name);
    if (!part) return pass(part.error());
    if ((part->protocol && actions.protocol) || (part->metadata && actions.metadata))
      return corrupt("{}: a second protocol or metaData in the same checkpoint", name);
    if (part->protocol) actions.protocol = std::move(part->protocol);
    if (part->metadata) actions.metadata = std::move(part->metadata);
    const auto move_all = [](auto& out, auto& in) {
      out.insert(out.end(), std::make_move_iterator(in.begin()), std::make_move_iterator(in.end()));
    };
    move_all(actions.added, part->added);
    move_all(actions.removed, part->removed);
    move_all(actions.txns, part->txns);
  }
  return {};
}

}  // namespace

bool checkpoint_due(int64_t commits, int64_t log_bytes, int64_t checkpoint_bytes) {
  return commits >= kLeastCommits && log_bytes >= checkpoint_bytes;
}

bool checkpoint_due(const Snapshot& snapshot) {
  return checkpoint_due(snapshot.version - snapshot.checkpoint_version, snapshot.log_bytes, snapshot.checkpoint_bytes);
}

Result<int64_t> write_checkpoint(object::Store& store, const std::string& table, const Snapshot& snapshot) {
  const Actions actions = actions_of(snapshot);
  const Scratch lines(store, ".json");
  const Scratch parquet(store, ".parquet");
  if (auto written = write_parquet(write_actions(actions), lines.path(), parquet.path()); !written)
    return pass(written.error());
  std::error_code error;
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(parquet.path(), error));
  if (error) return system_error(error.value(), fmt::format("stat {}", parquet.path().string()));
  const auto put = store.put_file_if_absent(checkpoint_name(table, snapshot.version), parquet.path());
  if (!put && put.error().code == Code::already_exists)
    return bytes;  // another's, of the same actions; the hint is theirs to give
  if (!put) return pass(put.error());
  const size_t count = 2 + actions.txns.size() + actions.removed.size() + actions.added.size();
  const auto hint = store.put(hint_name(table), write_hint(snapshot.version, static_cast<int64_t>(count), bytes,
                                                           static_cast<int64_t>(actions.added.size())));
  if (!hint) return pass(hint.error());
  return bytes;
}

Result<Actions> read_checkpoint(object::Store& store, const std::vector<std::string>& names, bool rules_only) {
  std::vector<object::LocalFile> files;  // kept until the last query is done
  for (const std::string& name : names) {
    auto file = store.fetch(name);
    if (!file) return pass(file.error());
    files.push_back(std::move(*file));
  }
  auto engine = open_engine();
  if (!engine) return pass(engine.error());
  Actions actions;
  for (size_t i = 0; i < files.size(); ++i) {
    if (auto read = read_part(engine->connection, files[i].path(), names[i], rules_only, actions); !read)
      return pass(read.error());
  }
  return actions;
}

std::optional<int64_t> parse_hint(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  int64_t version = -1;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root["version"].get_int64().get(version) != simdjson::SUCCESS || version < 0) return std::nullopt;
  return version;
}

std::string write_hint(int64_t version, int64_t actions, int64_t bytes, int64_t files) {
  JsonWriter json;
  json.begin_object().key("version").number(version).key("size").number(actions);
  json.key("sizeInBytes").number(bytes).key("numOfAddFiles").number(files);
  return json.end_object().take();
}

}  // namespace pinflow::delta
