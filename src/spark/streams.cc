// The part of a session that is about streams: spark.readStream, df.writeStream and their queries.
#include <algorithm>
#include <utility>

#include "base/shutdown.h"
#include "spark/session_impl.h"
#include "spark/statements.h"

namespace pinflow::spark {
namespace {

// The server is asked again as often: a stop must not wait for a stream.
constexpr std::chrono::milliseconds kAwaitSlice{500};
constexpr std::chrono::milliseconds kAnswerWithin{120'000};  // stopping waits for the batch that runs

proto::Command about(const StreamQuery& query) {
  proto::Command command;
  auto* id = command.mutable_streaming_query_command()->mutable_query_id();
  id->set_id(query.id);
  id->set_run_id(query.run_id);
  return command;
}

// What is asked about a stream is answered at once; it goes on after a stop was requested, or nobody could stop
// streams.
Result<proto::StreamingQueryCommandResult> ask(Session::Impl& session, const proto::Command& command) {
  proto::StreamingQueryCommandResult out;
  const auto end = std::chrono::steady_clock::now() + kAnswerWithin;
  const Watch before =
      std::exchange(session.rpc.watch, [end](const Progress&) { return std::chrono::steady_clock::now() < end; });
  auto run =
      session.command(command, session.places({}), [&out](const proto::ExecutePlanResponse& response) -> Result<> {
        if (response.has_streaming_query_command_result()) out = response.streaming_query_command_result();
        return {};
      });
  session.rpc.watch = before;
  if (!run) return pass(run.error());
  return out;
}

}  // namespace

Result<> Session::create_stream_view(std::string_view name, const StreamSource& source) {
  proto::Command command;
  auto* view = command.mutable_create_dataframe_view();
  auto* read = view->mutable_input()->mutable_read();
  read->set_is_streaming(true);
  auto* from = read->mutable_data_source();
  from->set_format(source.format);
  if (!source.schema.empty()) from->set_schema(source.schema);
  if (!source.path.empty()) from->add_paths(source.path);
  for (const auto& [key, value] : source.options) (*from->mutable_options())[key] = value;
  view->set_name(std::string(name));
  view->set_replace(true);
  return impl_->command(command, impl_->places({}), [](const auto&) { return Result<>{}; });
}

Result<StreamQuery> Session::start_stream(std::string_view sql, const StreamSink& sink, const sql::Origin& origin) {
  const auto statements = split_statements(sql);
  if (statements.size() != 1 || !is_query(statements[0].text)) return invalid("a stream is one query, and no command");
  const Place place{std::string(statements[0].text), statements[0].first_line, origin};
  proto::Command command;
  auto* start = command.mutable_write_stream_operation_start();
  start->mutable_input()->mutable_sql()->set_query(place.text);
  start->set_format(sink.format);
  start->set_output_mode(sink.output_mode);
  start->set_query_name(sink.name);
  if (!sink.path.empty()) start->set_path(sink.path);
  if (!sink.checkpoint.empty()) (*start->mutable_options())["checkpointLocation"] = sink.checkpoint;
  for (const auto& [key, value] : sink.options) (*start->mutable_options())[key] = value;
  if (sink.available_now) start->set_available_now(true);
  else if (!sink.every.empty()) start->set_processing_time_interval(sink.every);
  StreamQuery query;
  auto run =
      impl_->command(command, impl_->places(place), [&query](const proto::ExecutePlanResponse& response) -> Result<> {
        if (!response.has_write_stream_operation_start_result()) return {};
        const auto& result = response.write_stream_operation_start_result();
        query = {result.query_id().id(), result.query_id().run_id(), result.name()};
        return {};
      });
  if (!run) return pass(run.error());
  return query;
}

Result<std::vector<StreamQuery>> Session::active_streams() {
  proto::Command command;
  command.mutable_streaming_query_manager_command()->set_active(true);
  std::vector<StreamQuery> out;
  auto run = impl_->command(command, impl_->places({}), [&out](const proto::ExecutePlanResponse& response) -> Result<> {
    for (const auto& query : response.streaming_query_manager_command_result().active().active_queries()) {
      out.push_back({query.id().id(), query.id().run_id(), query.name()});
    }
    return {};
  });
  if (!run) return pass(run.error());
  return out;
}

Result<StreamState> Session::stream_state(const StreamQuery& query) {
  proto::Command command = about(query);
  command.mutable_streaming_query_command()->set_status(true);
  auto answer = ask(*impl_, command);
  if (!answer) return pass(answer.error());
  StreamState state;
  state.active = answer->status().is_active();
  state.message = answer->status().status_message();
  state.data_available = answer->status().is_data_available();
  if (state.active) return state;
  command.mutable_streaming_query_command()->set_exception(true);
  auto ended = ask(*impl_, command);
  if (!ended) return pass(ended.error());
  if (ended->has_exception() && ended->exception().has_exception_message()) {
    Failure failure;
    failure.message = ended->exception().exception_message();
    failure.error_class = ended->exception().error_class();
    state.failed = error_of(failure, impl_->places({}));
  }
  return state;
}

Result<bool> Session::await_stream(const StreamQuery& query, std::chrono::milliseconds at_most) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    proto::Command command = about(query);
    auto* await = command.mutable_streaming_query_command()->mutable_await_termination();
    await->set_timeout_ms(std::min(left, kAwaitSlice).count());
    auto answer = ask(*impl_, command);
    if (!answer) return pass(answer.error());
    if (answer->await_termination().terminated()) return true;
    const bool go_on = impl_->rpc.watch ? impl_->rpc.watch({}) : !stop_requested();
    if (!go_on) return fail(Code::cancelled, "stopped while waiting for a stream");
  }
}

Result<std::vector<std::string>> Session::stream_progress(const StreamQuery& query) {
  proto::Command command = about(query);
  command.mutable_streaming_query_command()->set_recent_progress(true);
  auto answer = ask(*impl_, command);
  if (!answer) return pass(answer.error());
  const auto& texts = answer->recent_progress().recent_progress_json();
  return std::vector<std::string>(texts.begin(), texts.end());
}

Result<> Session::stop_stream(const StreamQuery& query) {
  proto::Command command = about(query);
  command.mutable_streaming_query_command()->set_stop(true);
  auto answer = ask(*impl_, command);
  if (!answer) return pass(answer.error());
  return {};
}

}  // namespace pinflow::spark
