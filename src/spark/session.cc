#include "spark/session.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "base/logging.h"
#include "spark/arrow.h"
#include "spark/session_impl.h"
#include "spark/statements.h"
#include "spark/types.h"

namespace pinflow::spark {
namespace {

constexpr int kOldestMajor = 4;

// Where distributions keep the certificates of the authorities they trust; gRPC's own default is a file of its build.
constexpr const char* kSystemCertificates[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                               "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

Result<std::string> certificates(const Connection& connection) {
  if (!connection.tls) return {};
  if (!connection.ca_file.empty()) return read_file(connection.ca_file);
  for (const char* variable : {"SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"}) {
    if (const char* file = std::getenv(variable); file != nullptr && *file != '\0') return read_file(file);
  }
  for (const char* file : kSystemCertificates) {
    std::error_code error;
    if (std::filesystem::exists(file, error)) return read_file(file);
  }
  return {};
}

// One statement, as Spark's own clients run them: it is executed where it is a command, and answers a relation whose
// rows are not made yet where it is a query.
Result<proto::Relation> run_statement(Session::Impl& session, const Statement& statement, const sql::Origin& origin) {
  proto::Command command;
  command.mutable_sql_command()->mutable_input()->mutable_sql()->set_query(std::string(statement.text));
  proto::Relation relation;
  const auto places = session.places({std::string(statement.text), statement.first_line, origin});
  auto run = session.command(command, places, [&relation](const proto::ExecutePlanResponse& response) -> Result<> {
    if (response.has_sql_command_result()) relation = response.sql_command_result().relation();
    return {};
  });
  if (!run) return pass(run.error());
  return relation;
}

// With `keep` false the rows are made, and thrown away as they come.
Result<sql::Table> rows_of(Session::Impl& session, const proto::Relation& relation, const Statement& statement,
                           const sql::Origin& origin, bool keep) {
  proto::Plan plan;
  *plan.mutable_root() = relation;
  sql::Table table;
  const auto places = session.places({std::string(statement.text), statement.first_line, origin});
  auto run = session.rpc.execute(plan, places, [&](const proto::ExecutePlanResponse& response) -> Result<> {
    if (!keep || !response.has_arrow_batch()) return {};
    auto appended = append_arrow(table, response.arrow_batch().data());
    if (!appended && !origin.file.empty()) return pass(appended.error(), "{}", origin.file);
    return appended;
  });
  if (!run) return pass(run.error());
  return table;
}

// The one query that a text is.
Result<Statement> one_query(std::string_view sql, const sql::Origin& origin) {
  const auto statements = split_statements(sql);
  const std::string where = origin.file.empty() ? "" : origin.file + ": ";
  if (statements.size() != 1) return invalid("{}one query was expected, not {} statements", where, statements.size());
  if (!is_query(statements[0].text)) return invalid("{}a query was expected, not a command", where);
  return statements[0];
}

// A query's rows have to be fetched or its errors would stay unseen; a command's are there already.
bool has_rows_to_make(const proto::Relation& relation) { return relation.has_sql(); }

}  // namespace

std::vector<Place> Session::Impl::places(Place statement) const {
  std::vector<Place> out{std::move(statement)};
  for (const auto& [name, place] : views) out.push_back(place);
  return out;
}

Result<> Session::Impl::command(const proto::Command& command, std::span<const Place> places, const OnResponse& take) {
  proto::Plan plan;
  *plan.mutable_command() = command;
  return rpc.execute(plan, places, take);
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::~Session() {
  if (!impl_->keep) impl_->rpc.release_session();
}

Result<std::unique_ptr<Session>> Session::open(const Connection& connection, const SessionOptions& options) {
  auto ca_pem = certificates(connection);
  if (!ca_pem) return pass(ca_pem.error(), "{}: certificates", connection.shown());
  auto session = std::unique_ptr<Session>(new Session(std::make_unique<Impl>(connection, *ca_pem, options)));
  session->impl_->keep = options.keep || !connection.session_id.empty();
  auto version = session->impl_->rpc.spark_version();
  if (!version) return pass(version.error());
  session->impl_->version = *version;
  int major = 0;
  std::from_chars(version->data(), version->data() + version->size(), major);
  if (major < kOldestMajor) {
    return unsupported("{}: Spark {}: version {}.0 or newer is needed", connection.shown(), *version, kOldestMajor);
  }
  proto::ConfigRequest request;
  const auto add = [&request](std::string_view key, std::string_view value) {
    auto* pair = request.mutable_operation()->mutable_set()->add_pairs();
    pair->set_key(std::string(key));
    pair->set_value(std::string(value));
  };
  add("spark.sql.session.timeZone", "UTC");
  add("spark.sql.ansi.enabled", "true");
  for (const auto& [key, value] : options.settings) add(key, value);
  if (auto set = session->impl_->rpc.config(std::move(request)); !set) return pass(set.error());
  return session;
}

Result<> Session::execute(std::string_view sql, const sql::Origin& origin) {
  for (const Statement& statement : split_statements(sql)) {
    auto relation = run_statement(*impl_, statement, origin);
    if (!relation) return pass(relation.error());
    if (!has_rows_to_make(*relation)) continue;
    if (auto rows = rows_of(*impl_, *relation, statement, origin, false); !rows) return pass(rows.error());
  }
  return {};
}

Result<sql::Table> Session::query(std::string_view sql, const sql::Origin& origin) {
  sql::Table table;
  for (const Statement& statement : split_statements(sql)) {
    auto relation = run_statement(*impl_, statement, origin);
    if (!relation) return pass(relation.error());
    auto rows = rows_of(*impl_, *relation, statement, origin, true);
    if (!rows) return rows;
    table = std::move(*rows);
  }
  return table;
}

Result<sql::Value> Session::value(std::string_view sql, const sql::Origin& origin) {
  auto table = query(sql, origin);
  if (!table) return pass(table.error());
  if (table->rows.size() != 1 || table->columns.size() != 1) {
    return invalid("one cell was expected, not {} rows of {} columns", table->rows.size(), table->columns.size());
  }
  return std::move(table->rows[0][0]);
}

Result<std::vector<sql::ColumnInfo>> Session::columns(std::string_view sql, const sql::Origin& origin) {
  const auto statement = one_query(sql, origin);
  if (!statement) return pass(statement.error());
  proto::AnalyzePlanRequest request;
  request.mutable_schema()->mutable_plan()->mutable_root()->mutable_sql()->set_query(std::string(statement->text));
  const auto places = impl_->places({std::string(statement->text), statement->first_line, origin});
  auto answer = impl_->rpc.analyze(std::move(request), places);
  if (!answer) return pass(answer.error());
  std::vector<sql::ColumnInfo> out;
  for (const auto& field : answer->schema().schema().struct_().fields()) {
    out.push_back({field.name(), type_name(field.data_type())});
  }
  return out;
}

Result<> Session::create_view(std::string_view name, std::string_view sql, const sql::Origin& origin) {
  const auto statement = one_query(sql, origin);
  if (!statement) return pass(statement.error(), "view {}", name);
  const Place place{std::string(statement->text), statement->first_line, origin};
  proto::Command command;
  auto* view = command.mutable_create_dataframe_view();
  view->mutable_input()->mutable_sql()->set_query(place.text);
  view->set_name(std::string(name));
  view->set_replace(true);
  auto made = impl_->command(command, impl_->places(place), [](const auto&) { return Result<>{}; });
  if (!made) return made;
  std::erase_if(impl_->views, [name](const auto& known) { return known.first == name; });
  impl_->views.emplace_front(std::string(name), place);
  if (impl_->views.size() > kMaxKnownViews) impl_->views.pop_back();
  return {};
}

Result<> Session::set(std::string_view key, std::string_view value) {
  proto::ConfigRequest request;
  auto* pair = request.mutable_operation()->mutable_set()->add_pairs();
  pair->set_key(std::string(key));
  pair->set_value(std::string(value));
  auto answer = impl_->rpc.config(std::move(request));
  if (!answer) return pass(answer.error());
  return {};
}

Result<> Session::unset(std::string_view key) {
  proto::ConfigRequest request;
  request.mutable_operation()->mutable_unset()->add_keys(std::string(key));
  auto answer = impl_->rpc.config(std::move(request));
  if (!answer) return pass(answer.error());
  return {};
}

Result<std::optional<std::string>> Session::get(std::string_view key) {
  proto::ConfigRequest request;
  request.mutable_operation()->mutable_get_option()->add_keys(std::string(key));
  auto answer = impl_->rpc.config(std::move(request));
  if (!answer) return pass(answer.error());
  std::optional<std::string> out;
  if (answer->pairs_size() == 1 && answer->pairs(0).has_value()) out = answer->pairs(0).value();
  return out;
}

void Session::watch(Watch watch) { impl_->rpc.watch = std::move(watch); }
void Session::interrupt() { impl_->rpc.interrupted = true; }
bool Session::lost() const { return impl_->rpc.lost(); }
const std::string& Session::version() const { return impl_->version; }
const std::string& Session::session_id() const { return impl_->rpc.session_id(); }
const std::string& Session::shown() const { return impl_->rpc.shown(); }

std::string quote_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\0') out += "\\0";
    else out += c;
  }
  return out + "'";
}

std::string quote_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

}  // namespace pinflow::spark
