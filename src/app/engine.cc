#include "app/engine.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/fill_in.h"
#include "portable/check.h"
#include "spark/connection.h"
#include "spark/session.h"

namespace pinflow::app {
namespace {

std::string setting(const Context& context, const char* name) {
  const auto found = context.pipeline.settings.find(name);
  return found == context.pipeline.settings.end() ? "" : found->second;
}

// engine.token and engine.ca, where the connection string does not say them. A token goes over TLS only.
Result<> secure(const Context& context, spark::Connection& connection) {
  std::string token = connection.token.empty() ? setting(context, "engine.token") : "";
  if (constexpr std::string_view kFile = "file:"; token.starts_with(kFile)) {
    const auto read = read_file(context.pipeline.folder / token.substr(kFile.size()));
    if (!read) return pass(read.error(), "the setting engine.token");
    token = read->substr(0, read->find_last_not_of(" \t\r\n") + 1);
    if (token.empty()) return invalid("the file that the setting engine.token names is empty");
  }
  if (!token.empty()) {
    if (auto given = spark::give_token(connection, std::move(token)); !given) {
      return pass(given.error(), "the setting engine.token");
    }
  }
  const std::string authorities = setting(context, "engine.ca");
  if (connection.ca_file.empty() && !authorities.empty())
    connection.ca_file = (context.pipeline.folder / authorities).string();
  return {};
}

}  // namespace

bool names_an_engine(const Context& context) {
  const std::string engine = context.options.engine.empty() ? setting(context, "engine") : context.options.engine;
  return !engine.empty() && engine != "duckdb";
}

Result<lake::SparkChoice> engine_of(const Context& context, const object::Store& lake,
                                    const std::vector<std::string>* queries) {
  auto given = with_environment(context.options.engine);
  if (!given) return pass(given.error(), "--engine");
  const std::string engine = given->empty() ? setting(context, "engine") : *given;
  if (engine.empty() || engine == "duckdb") return lake::SparkChoice();
  if (!spark::is_connection(engine)) {
    // Its beginning only: what comes behind may hold a password.
    return invalid("the engine must be duckdb, or Spark's connection string (sc://HOST:PORT/;…), not '{}…'",
                   engine.substr(0, std::min<size_t>(engine.find_first_of(":/@;"), 20)));
  }
  auto connection = spark::parse_connection(engine);
  if (!connection) return pass(connection.error(), "--engine");
  if (auto secured = secure(context, *connection); !secured) return pass(secured.error());
  const auto same = queries == nullptr ? portable::require_portable(context.pipeline)
                                       : portable::require_portable(context.pipeline, *queries);
  if (!same) {
    return pass(same.error(), "Spark would read this SQL otherwise than DuckDB (pinflow check)");
  }
  lake::SparkChoice choice;
  choice.lake = lake::spark_path_of(lake.url(), context.pipeline.engine_paths);
  choice.open = [connection = *connection] {
    spark::SessionOptions options;
    options.settings = lake::spark_settings();
    return spark::Session::open(connection, options);
  };
  return choice;
}

}  // namespace pinflow::app
