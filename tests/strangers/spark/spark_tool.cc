// A session on Spark for the tests: reads commands, a JSON array of texts on each line of standard input, and answers
// each with a line of JSON: {"columns":[[name,type]],"rows":[…]}, {"error":[code,message]} or {"value":…}.
#include <fmt/format.h>
#include <simdjson.h>

#include <iostream>

#include "base/json.h"
#include "base/shutdown.h"
#include "spark/rpc_impl.h"
#include "spark/session.h"

namespace {

using namespace pinflow;
namespace engine = pinflow::spark;  // ::spark is the protocol's

using Words = std::vector<std::string>;

std::string failed(const Error& error) {
  JsonWriter json;
  json.begin_object()
      .key("error")
      .begin_array()
      .string(name_of(error.code))
      .string(error.message)
      .end_array()
      .end_object();
  return json.take();
}

template <class T>
std::string answer(const Result<T>& result, auto&& write) {
  if (!result) return failed(result.error());
  JsonWriter json;
  json.begin_object().key("value");
  write(json);
  json.end_object();
  return json.take();
}
std::string done(const Result<>& result) {
  return answer(result, [](JsonWriter& json) { json.boolean(true); });
}

std::string table_json(const Result<sql::Table>& table) {
  if (!table) return failed(table.error());
  JsonWriter json;
  json.begin_object().key("columns").begin_array();
  for (const auto& column : table->columns) json.begin_array().string(column.name).string(column.type).end_array();
  json.end_array().key("rows").begin_array();
  for (const auto& row : table->rows) {
    json.begin_array();
    for (const auto& value : row) json.raw(sql::json_of(value));
    json.end_array();
  }
  json.end_array().end_object();
  return json.take();
}

std::string run(engine::Session& session, const Words& words) {
  const std::string& what = words.at(0);
  const auto origin = words.size() > 2 ? sql::Origin{words[2]} : sql::Origin{};
  if (what == "query") return table_json(session.query(words.at(1), origin));
  if (what == "execute") return done(session.execute(words.at(1), origin));
  if (what == "view") return done(session.create_view(words.at(1), words.at(3), origin));
  if (what == "set") return done(session.set(words.at(1), words.at(2)));
  if (what == "columns") {
    auto columns = session.columns(words.at(1), origin);
    return answer(columns, [&](JsonWriter& json) {
      json.begin_array();
      for (const auto& column : *columns) json.begin_array().string(column.name).string(column.type).end_array();
      json.end_array();
    });
  }
  if (what == "get") {
    auto value = session.get(words.at(1));
    return answer(value, [&](JsonWriter& json) { *value ? json.string(**value) : json.null(); });
  }
  if (what == "version") {
    JsonWriter json;
    json.begin_array().string(session.version()).string(session.session_id()).boolean(session.lost()).end_array();
    return json.take();
  }
  if (what == "end") {  // another's session, by its id
    auto connection = engine::parse_connection(words.at(1));
    connection->session_id = words.at(2);
    engine::Rpc other(*connection, "", {});
    auto version = other.spark_version();
    other.release_session();
    return version ? done({}) : failed(version.error());
  }
  if (what == "stream") {  // folder of text, table, checkpoint
    auto made = session.create_stream_view("lines", {.format = "text", .path = words.at(1)});
    if (!made) return done(made);
    auto query =
        session.start_stream("SELECT value, length(value) AS n FROM lines",
                             {.path = words.at(2), .checkpoint = words.at(3), .name = "copy", .available_now = true});
    if (!query) return failed(query.error());
    auto ended = session.await_stream(*query, std::chrono::seconds(120));
    if (!ended) return failed(ended.error());
    auto progress = session.stream_progress(*query);
    return answer(progress, [&](JsonWriter& json) {
      json.begin_array().boolean(*ended).number(static_cast<int64_t>(progress->size())).string(query->name).end_array();
    });
  }
  if (what == "endless") {  // starts a stream and stops it
    auto made = session.create_stream_view("ticks", {.format = "rate"});
    if (!made) return done(made);
    auto query =
        session.start_stream("SELECT * FROM ticks", {.format = "noop", .checkpoint = words.at(1), .name = "ticks"});
    if (!query) return failed(query.error());
    auto active = session.active_streams();
    auto state = session.stream_state(*query);
    auto stopped = session.stop_stream(*query);
    auto after = session.stream_state(*query);
    if (!active || !state || !stopped || !after) return failed({Code::invalid, "a call about the stream failed"});
    JsonWriter json;
    json.begin_array()
        .number(static_cast<int64_t>(active->size()))
        .boolean(state->active)
        .boolean(after->active)
        .end_array();
    return json.take();
  }
  return failed({Code::invalid, "no such command"});
}

}  // namespace

// spark_tool sc://… [CA_FILE]
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  catch_stop_signals();
  auto connection = engine::parse_connection(argv[1]);
  if (connection && argc > 2) connection->ca_file = argv[2];
  auto session = connection ? engine::Session::open(*connection, {.reconnect_within = std::chrono::seconds(20)})
                            : Result<std::unique_ptr<engine::Session>>(std::unexpected(connection.error()));
  if (!session) {
    std::cout << failed(session.error()) << std::endl;
    return 1;
  }
  std::cout << run(**session, {"version"}) << std::endl;
  simdjson::ondemand::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    const simdjson::padded_string text(line);
    Words words;
    auto document = parser.iterate(text);
    for (auto word : document.get_array()) words.emplace_back(std::string_view(word.get_string()));
    std::cout << run(**session, words) << std::endl;
  }
}
