#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpc/support/log.h>
#include <pwd.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/bytes.h"
#include "base/files.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "spark/rpc_impl.h"

namespace pinflow::spark {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLookEvery{100};             // at the watch and the stop flag
constexpr milliseconds kAnswerWithin{600'000};      // of a call that is no statement: analysing may list many files
constexpr milliseconds kFirstAnswerWithin{60'000};  // a server that says nothing at all is none
constexpr milliseconds kShortCall{5'000};  // interrupt, release: the server needs them less than we need to end
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{5'000};
constexpr milliseconds kSayWaitingAfter{3'000};
constexpr int kKeepAliveMs = 310'000;  // above the 5 minutes that servers allow; finds connections that died silently
constexpr int kKeepAliveTimeoutMs = 20'000;

std::string user_name() {
  if (const char* name = std::getenv("SPARK_USER"); name != nullptr && *name != '\0') return name;
  passwd entry{};
  passwd* found = nullptr;
  char text[4096];
  if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) == 0 && found != nullptr) return found->pw_name;
  return "pinflow";
}

// What gRPC says on its own: errors come to the caller as values, so these lines are for -v.
void say_grpc(gpr_log_func_args* line) { debug("gRPC: {}", line->message); }

grpc::ChannelArguments arguments_of(const Connection& connection, const std::string& client) {
  grpc::ChannelArguments arguments;
  if (connection.on_this_machine()) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetUserAgentPrefix(client);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(connection.max_message));
  arguments.SetMaxSendMessageSize(static_cast<int>(connection.max_message));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // Channels of one address are shared otherwise, and with them what one of them has learnt about it.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // retries are decided here
  return arguments;
}

// Waits longer each time, until the time is over or a stop is asked for.
class Patience {
 public:
  explicit Patience(milliseconds within) : within_(within), end_(Clock::now() + within) {}

  bool wait() {
    if (Clock::now() + pause_ > end_) return false;
    if (wait_for_stop(pause_)) return false;
    pause_ = std::min(pause_ * 2, kLongestPause);
    return true;
  }
  void renew() {
    end_ = Clock::now() + within_;
    pause_ = kFirstPause;
  }

 private:
  milliseconds within_;
  Clock::time_point end_;
  milliseconds pause_ = kFirstPause;
};

// What the server cannot have said: this machine did not get through to it.
bool not_reached(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return false;
  const std::string& text = status.error_message();
  for (const std::string_view part :
       {"failed to connect", "Failed to connect", "DNS resolution failed", "ailed to resolve"}) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string new_uuid() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) std::abort();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = to_hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

// One statement on the server.
struct Rpc::Operation {
  const proto::Plan* plan = nullptr;
  std::string id;
  std::string last_response;  // the newest that `take` was given
  bool attach = false;        // it was sent already
  bool interrupted = false;   // the server was told so
  bool complete = false;
  int sent = 0;
  Patience patience;
  Result<> taken;  // of `take`
  Error failed;
  Clock::time_point give_up = Clock::time_point::max();  // after an interrupt
};

Rpc::Rpc(const Connection& connection, const std::string& ca_pem, const SessionOptions& options)
    : shown_(connection.shown()),
      user_id_(connection.user_id.empty() ? user_name() : connection.user_id),
      client_(connection.user_agent.empty() ? "pinflow/" PINFLOW_VERSION
                                            : connection.user_agent + " pinflow/" PINFLOW_VERSION),
      session_id_(connection.session_id.empty() ? new_uuid() : connection.session_id),
      headers_(connection.headers),
      tls_(connection.tls),
      options_(options) {
  gpr_set_log_function(say_grpc);
  if (!connection.token.empty()) headers_.emplace_back("authorization", "Bearer " + connection.token);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (connection.tls) credentials = grpc::SslCredentials({.pem_root_certs = ca_pem});
  const std::string address = fmt::format("{}:{}", connection.host, connection.port);
  stub_ = proto::SparkConnectService::NewStub(
      grpc::CreateCustomChannel(address, credentials, arguments_of(connection, client_)));
}

void Rpc::prepare(grpc::ClientContext& context) const {
  for (const auto& [name, value] : headers_) context.AddMetadata(name, value);
}

template <class Request>
void Rpc::identify(Request& request) const {
  request.set_session_id(session_id_);
  request.mutable_user_context()->set_user_id(user_id_);
  request.mutable_user_context()->set_user_name(user_id_);
  request.set_client_type(client_);
  if constexpr (requires { request.set_client_observed_server_side_session_id(std::string()); }) {
    if (!server_session_id_.empty()) request.set_client_observed_server_side_session_id(server_session_id_);
  }
}

bool Rpc::go_on() {
  if (interrupted.load()) return false;
  return watch ? watch(progress_) : !stop_requested();
}

// Until the one call that is under way is over; true where it succeeded.
bool Rpc::wait(grpc::CompletionQueue& queue, grpc::ClientContext& context, Operation* operation) {
  for (;;) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kLookEvery);
    if (next == grpc::CompletionQueue::GOT_EVENT) return ok;
    if (operation == nullptr) continue;
    if (!operation->interrupted && !go_on()) {
      operation->interrupted = true;
      operation->give_up = Clock::now() + kShortCall;
      interrupt(operation->id);
    }
    if (operation->interrupted && Clock::now() > operation->give_up) context.TryCancel();
  }
}

template <class Request, class Answer, class Start>
grpc::Status Rpc::call(Start start, const Request& request, Answer& answer, milliseconds at_most, bool stoppable) {
  grpc::ClientContext context;
  prepare(context);
  context.set_deadline(std::chrono::system_clock::now() + at_most);
  grpc::CompletionQueue queue;
  grpc::Status status;
  auto reader = (stub_.get()->*start)(&context, request, &queue);
  reader->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  while (queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kLookEvery) == grpc::CompletionQueue::TIMEOUT) {
    if (stoppable && !go_on()) context.TryCancel();
  }
  return status;
}

template <class Request, class Answer, class Start>
Result<Answer> Rpc::call_until_answered(Start start, Request request, std::span<const Place> places,
                                        milliseconds within) {
  const bool first = server_session_id_.empty();
  Patience patience(within);
  const auto began = Clock::now();
  bool said = false;
  for (;;) {
    identify(request);
    Answer answer;
    const grpc::Status status =
        call<Request, Answer>(start, request, answer, first ? kFirstAnswerWithin : kAnswerWithin, true);
    if (status.ok()) {
      server_session_id_ = answer.server_side_session_id();
      return answer;
    }
    const Failure failure = failure_of(status);
    // A server that is not there when the session begins is a wrong address rather than a passing fault.
    const bool hopeless = first && not_reached(status);
    if (!go_on()) return fail(Code::cancelled, "stopped while waiting for Spark");
    if (!is_passing(failure) || hopeless || !patience.wait()) return std::unexpected(explained(failure, places));
    if (!said && first && Clock::now() - began > kSayWaitingAfter) {
      info("{} is not ready yet: {}", shown_, failure.message);
      said = true;
    }
  }
}

Result<proto::AnalyzePlanResponse> Rpc::analyze(proto::AnalyzePlanRequest request, std::span<const Place> places) {
  return call_until_answered<proto::AnalyzePlanRequest, proto::AnalyzePlanResponse>(
      &Stub::AsyncAnalyzePlan, std::move(request), places, options_.reconnect_within);
}

Result<proto::ConfigResponse> Rpc::config(proto::ConfigRequest request) {
  return call_until_answered<proto::ConfigRequest, proto::ConfigResponse>(&Stub::AsyncConfig, std::move(request), {},
                                                                          options_.reconnect_within);
}

Result<std::string> Rpc::spark_version() {
  proto::AnalyzePlanRequest request;
  request.mutable_spark_version();
  auto answer = call_until_answered<proto::AnalyzePlanRequest, proto::AnalyzePlanResponse>(
      &Stub::AsyncAnalyzePlan, std::move(request), {}, options_.connect_within);
  if (!answer) return pass(answer.error());
  return answer->spark_version().version();
}

// Reads one stream of responses to its end. The status of a stream that ended before its operation did may be OK.
grpc::Status Rpc::stream(Operation& operation, const OnResponse& take) {
  grpc::ClientContext context;
  prepare(context);
  grpc::CompletionQueue queue;
  std::unique_ptr<grpc::ClientAsyncReader<proto::ExecutePlanResponse>> reader;
  if (operation.attach) {
    proto::ReattachExecuteRequest request;
    identify(request);
    request.set_operation_id(operation.id);
    if (!operation.last_response.empty()) request.set_last_response_id(operation.last_response);
    reader = stub_->AsyncReattachExecute(&context, request, &queue, nullptr);
  } else {
    proto::ExecutePlanRequest request;
    identify(request);
    request.set_operation_id(operation.id);
    *request.mutable_plan() = *operation.plan;
    request.add_request_options()->mutable_reattach_options()->set_reattachable(true);
    ++operation.sent;
    reader = stub_->AsyncExecutePlan(&context, request, &queue, nullptr);
  }
  bool ok = wait(queue, context, &operation);
  proto::ExecutePlanResponse response;
  while (ok) {
    reader->Read(&response, nullptr);
    ok = wait(queue, context, &operation);
    if (!ok) break;
    operation.patience.renew();
    operation.last_response = response.response_id();
    if (!response.server_side_session_id().empty()) server_session_id_ = response.server_side_session_id();
    if (response.has_result_complete()) {
      operation.complete = true;
    } else if (response.has_execution_progress()) {
      progress_ = {};
      for (const auto& stage : response.execution_progress().stages()) {
        progress_.tasks += stage.num_tasks();
        progress_.tasks_done += stage.num_completed_tasks();
        progress_.bytes_read += stage.input_bytes_read();
      }
    } else if (operation.taken) {
      operation.taken = take(response);
      if (!operation.taken) context.TryCancel();
    }
  }
  grpc::Status status;
  reader->Finish(&status, nullptr);
  wait(queue, context, &operation);
  return status;
}

// What a stream's end means for the operation.
Rpc::Attempt Rpc::after(Operation& operation, const grpc::Status& status, std::span<const Place> places) {
  if (operation.complete) return Attempt::done;
  if (!operation.taken) {
    operation.failed = operation.taken.error();
    return Attempt::failed;
  }
  const Failure failure = status.ok() ? Failure{} : failure_of(status);
  if (operation.interrupted && (status.ok() || is_passing(failure) || code_of(failure) == Code::cancelled)) {
    operation.failed = {Code::cancelled, "the statement was stopped"};
    return Attempt::failed;
  }
  if (status.ok()) {  // servers end long streams; the operation goes on
    operation.attach = true;
    return Attempt::again;
  }
  const bool fresh = operation.last_response.empty();
  if (failure.error_class == "INVALID_HANDLE.OPERATION_ALREADY_EXISTS" && operation.sent > 1) {
    operation.attach = true;
    return Attempt::again;
  }
  // The server, with the same session as ever, has never heard of it: what was sent did not arrive.
  if (failure.error_class == "INVALID_HANDLE.OPERATION_NOT_FOUND" && operation.attach && fresh) {
    operation.attach = false;
    if (operation.patience.wait()) return Attempt::again;
  }
  if (is_passing(failure)) {
    operation.attach = true;
    if (go_on() && operation.patience.wait()) return Attempt::again;
  }
  operation.failed = explained(failure, places);
  if (is_passing(failure) && !go_on()) operation.failed.code = Code::cancelled;
  const Code code = operation.failed.code;
  if (operation.attach && (code == Code::unavailable || code == Code::cancelled || code == Code::denied)) {
    operation.failed.message += "; whether the statement was done is not known";
  }
  return Attempt::failed;
}

Result<> Rpc::execute(const proto::Plan& plan, std::span<const Place> places, const OnResponse& take) {
  if (lost_) return unavailable("{}: Spark's session {} is gone: begin again", shown_, session_id_);
  progress_ = {};
  interrupted = false;
  Operation operation{.plan = &plan, .id = new_uuid(), .patience = Patience(options_.reconnect_within)};
  Attempt attempt = Attempt::again;
  while (attempt == Attempt::again) attempt = after(operation, stream(operation, take), places);
  if (attempt == Attempt::failed && !operation.interrupted && !operation.taken) interrupt(operation.id);
  if (!lost_) release(operation.id);
  if (attempt == Attempt::failed) return std::unexpected(operation.failed);
  return {};
}

void Rpc::interrupt(const std::string& operation_id) {
  proto::InterruptRequest request;
  identify(request);
  request.set_interrupt_type(proto::InterruptRequest::INTERRUPT_TYPE_OPERATION_ID);
  request.set_operation_id(operation_id);
  proto::InterruptResponse answer;
  const grpc::Status status = call(&Stub::AsyncInterrupt, request, answer, kShortCall, false);
  if (!status.ok()) debug("{}: interrupt: {}", shown_, status.error_message());
}

void Rpc::release(const std::string& operation_id) {
  proto::ReleaseExecuteRequest request;
  identify(request);
  request.set_operation_id(operation_id);
  request.mutable_release_all();
  proto::ReleaseExecuteResponse answer;
  const grpc::Status status = call(&Stub::AsyncReleaseExecute, request, answer, kShortCall, false);
  if (!status.ok()) debug("{}: release: {}", shown_, status.error_message());
}

void Rpc::release_session() {
  if (lost_ || server_session_id_.empty()) return;
  proto::ReleaseSessionRequest request;
  identify(request);
  proto::ReleaseSessionResponse answer;
  const grpc::Status status = call(&Stub::AsyncReleaseSession, request, answer, kShortCall, false);
  if (!status.ok()) debug("{}: release of the session: {}", shown_, status.error_message());
}

Failure Rpc::failure_of(const grpc::Status& status) {
  Failure failure{.status = status.error_code(), .message = status.error_message()};
  ::google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return failure;
  for (const auto& detail : details.details()) {
    ::google::rpc::ErrorInfo info;
    if (!detail.type_url().ends_with("google.rpc.ErrorInfo") || !info.ParseFromString(detail.value())) continue;
    const auto text = [&info](const char* key) {
      const auto found = info.metadata().find(key);
      return found == info.metadata().end() ? std::string() : found->second;
    };
    failure.error_class = text("errorClass");
    failure.sql_state = text("sqlState");
    failure.java_classes = {info.reason()};
    if (const std::string id = text("errorId"); !id.empty()) fetch_details(failure, id);
  }
  return failure;
}

// The whole message, the causes and what Spark blames: more than fits into a status.
void Rpc::fetch_details(Failure& failure, const std::string& error_id) {
  proto::FetchErrorDetailsRequest request;
  identify(request);
  request.set_error_id(error_id);
  proto::FetchErrorDetailsResponse answer;
  const grpc::Status status = call(&Stub::AsyncFetchErrorDetails, request, answer, kShortCall, false);
  if (!status.ok() || !answer.has_root_error_idx()) return;
  int index = answer.root_error_idx();
  bool root = true;
  for (int steps = 0; index >= 0 && index < answer.errors_size() && steps < answer.errors_size(); ++steps) {
    const auto& error = answer.errors(index);
    const bool named = error.has_spark_throwable() && !error.spark_throwable().error_class().empty();
    if (root) {
      failure.message = error.message();
      failure.java_classes.assign(error.error_type_hierarchy().begin(), error.error_type_hierarchy().end());
    }
    if (named) {
      if (!root) failure.message = error.message();
      failure.error_class = error.spark_throwable().error_class();
      if (!error.spark_throwable().sql_state().empty()) failure.sql_state = error.spark_throwable().sql_state();
      for (const auto& context : error.spark_throwable().query_contexts()) {
        failure.blames.push_back({context.start_index(), context.stop_index(), context.fragment()});
      }
      if (!failure.blames.empty()) return;
    }
    if (!error.has_cause_idx()) return;
    index = error.cause_idx();
    root = false;
  }
}

Error Rpc::explained(const Failure& failure, std::span<const Place> places) {
  Error error = error_of(failure, places);
  if (is_lost_session(failure)) {
    lost_ = true;
    return Error{Code::unavailable, fmt::format("{}: Spark ended the session (idle for too long, or the server was "
                                                "started again), and what it held with it: {}",
                                                shown_, failure.message)};
  }
  if (error.code == Code::denied && failure.error_class.empty()) {
    return Error{Code::denied, fmt::format("{}: {}: is the token right, and not expired? It stands in the engine's "
                                           "connection string, ;token=…",
                                           shown_, error.message)};
  }
  if (error.code == Code::full && failure.error_class.empty()) {
    return error.within(shown_ + ": an answer in one piece (;grpc_max_message_size=BYTES allows more)");
  }
  if (!failure.error_class.empty() || error.code != Code::unavailable) return error;
  std::string hint;
  const auto says = [&](std::string_view what) { return failure.message.find(what) != std::string::npos; };
  if (says("wrong version number") || says("WRONG_VERSION_NUMBER")) {
    hint =
        ": it does not speak TLS there, which ;use_ssl=true and a token ask for; on this machine ;use_ssl=false does "
        "without";
  } else if (says("CERTIFICATE_VERIFY_FAILED") || says("certificate verify failed")) {
    hint = ": its certificate does not check; name its authority's PEM file by the setting engine.ca";
  } else if (says("andshake failed")) {
    hint = ": TLS could not be begun; does it speak TLS there?";
  } else if (says("Socket closed") || says("Connection reset")) {
    hint = tls_ ? "" : ": does it speak TLS? Then add ;use_ssl=true";
  }
  return Error{Code::unavailable, fmt::format("{}: {}{}", shown_, error.message, hint)};
}

}  // namespace pinflow::spark
