// The gRPC side of a session: calls that can be stopped, attached to again, and explained. Of this room: whoever
// includes it compiles gRPC's and Spark's headers.
#pragma once

#include <grpcpp/grpcpp.h>
#include <spark/connect/base.grpc.pb.h>

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "spark/connection.h"
#include "spark/errors.h"
#include "spark/session.h"

namespace pinflow::spark {

namespace proto = ::spark::connect;

using OnResponse = std::function<Result<>(const proto::ExecutePlanResponse&)>;

std::string new_uuid();

class Rpc {
 public:
  // `ca_pem`: certificates to trust; empty: the system's.
  Rpc(const Connection& connection, const std::string& ca_pem, const SessionOptions& options);

  // Both may be sent again after a broken connection: they only read, or set what they set.
  Result<proto::AnalyzePlanResponse> analyze(proto::AnalyzePlanRequest request, std::span<const Place> places);
  Result<proto::ConfigResponse> config(proto::ConfigRequest request);

  // Runs a plan, gives each of its responses to `take` in order, once each, whatever happens to the connection; an
  // error of `take` stops the plan on the server.
  Result<> execute(const proto::Plan& plan, std::span<const Place> places, const OnResponse& take);

  // The first call: waits for a cluster that is being started.
  Result<std::string> spark_version();

  void release_session();  // no errors: the server forgets it anyway in time

  bool lost() const { return lost_; }
  const std::string& session_id() const { return session_id_; }
  const std::string& shown() const { return shown_; }

  Watch watch;
  std::atomic<bool> interrupted{false};

 private:
  enum class Attempt { done, again, failed };
  struct Operation;
  using Stub = proto::SparkConnectService::Stub;

  template <class Request>
  void identify(Request& request) const;
  template <class Request, class Answer, class Start>
  grpc::Status call(Start start, const Request& request, Answer& answer, std::chrono::milliseconds at_most,
                    bool stoppable);
  template <class Request, class Answer, class Start>
  Result<Answer> call_until_answered(Start start, Request request, std::span<const Place> places,
                                     std::chrono::milliseconds within);
  void prepare(grpc::ClientContext& context) const;
  bool go_on();
  bool wait(grpc::CompletionQueue& queue, grpc::ClientContext& context, Operation* operation);
  grpc::Status stream(Operation& operation, const OnResponse& take);
  Attempt after(Operation& operation, const grpc::Status& status, std::span<const Place> places);
  void interrupt(const std::string& operation_id);
  void release(const std::string& operation_id);
  Failure failure_of(const grpc::Status& status);
  void fetch_details(Failure& failure, const std::string& error_id);
  Error explained(const Failure& failure, std::span<const Place> places);

  std::string shown_;
  std::string user_id_;
  std::string client_;
  std::string session_id_;
  std::string server_session_id_;  // as the server named its session; it must not change
  std::vector<std::pair<std::string, std::string>> headers_;
  bool tls_ = false;
  SessionOptions options_;
  std::unique_ptr<Stub> stub_;
  Progress progress_;
  bool lost_ = false;
};

}  // namespace pinflow::spark
