// A Spark Connect server of the tests: writes down every call with its headers, and answers as a script says.
#pragma once

#include <grpcpp/grpcpp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <spark/connect/base.grpc.pb.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "spark/connection.h"

namespace pinflow::spark {

// A certificate for 127.0.0.1 that nobody has signed but itself.
struct SelfSigned {
  std::string key;
  std::string certificate;

  SelfSigned() {
    EVP_PKEY* pkey = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pkey);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1,
                               0);
    X509_set_issuer_name(x509, name);
    for (const auto& [kind, value] :
         {std::pair{NID_subject_alt_name, "IP:127.0.0.1"}, {NID_basic_constraints, "CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
      X509_add_ext(x509, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(x509, pkey, EVP_sha256());
    key = text([&](BIO* to) { PEM_write_bio_PrivateKey(to, pkey, nullptr, nullptr, 0, nullptr, nullptr); });
    certificate = text([&](BIO* to) { PEM_write_bio_X509(to, x509); });
    X509_free(x509);
    EVP_PKEY_free(pkey);
  }

 private:
  static std::string text(const std::function<void(BIO*)>& write) {
    BIO* to = BIO_new(BIO_s_mem());
    write(to);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(to, &bytes);
    std::string out(bytes, size);
    BIO_free(to);
    return out;
  }
};

class RecordingServer final : public ::spark::connect::SparkConnectService::Service {
 public:
  using Response = ::spark::connect::ExecutePlanResponse;
  // What ExecutePlan and ReattachExecute answer: responses, then the status.
  struct Part {
    std::vector<Response> responses;
    grpc::Status status;
  };
  using Metadata = std::multimap<std::string, std::string>;
  struct Call {
    std::string method;
    Metadata headers;
    std::string session_id, user_id, client_type, operation_id, detail;
    bool reattachable = false;

    std::string header(const std::string& name) const {
      const auto found = headers.find(name);
      return found == headers.end() ? "" : found->second;
    }
  };

  explicit RecordingServer(bool tls = false) {
    grpc::ServerBuilder builder;
    auto credentials = grpc::InsecureServerCredentials();
    if (tls) {
      grpc::SslServerCredentialsOptions options;
      options.pem_key_cert_pairs = {{identity.key, identity.certificate}};
      credentials = grpc::SslServerCredentials(options);
    }
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~RecordingServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  Connection connection(const std::string& parameters = "") const {
    return *parse_connection("sc://127.0.0.1:" + std::to_string(port_) + "/" + parameters);
  }

  std::vector<Call> calls(const std::string& method = "") const {
    const std::lock_guard lock(mutex_);
    std::vector<Call> out;
    for (const Call& call : calls_) {
      if (method.empty() || call.method == method) out.push_back(call);
    }
    return out;
  }

  // The script. Each stream takes the first part that is left; without one it answers that it is complete.
  void then(Part part) { script_.push_back(std::move(part)); }

  SelfSigned identity;
  std::string version = "4.2.0";
  std::deque<grpc::Status> analyze_fails;                                                 // taken one by one
  std::string details;                                                                    // a FetchErrorDetailsResponse
  std::function<void(grpc::ServerContext&)> while_running = [](grpc::ServerContext&) {};  // before a stream ends

 private:
  template <class Request>
  void note(const char* method, const grpc::ServerContext& context, const Request& request, std::string detail = "") {
    Call call{.method = method,
              .session_id = request.session_id(),
              .user_id = request.user_context().user_id(),
              .client_type = request.client_type(),
              .detail = std::move(detail)};
    for (const auto& [name, value] : context.client_metadata()) {
      call.headers.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
    }
    if constexpr (requires { request.operation_id(); }) call.operation_id = request.operation_id();
    if constexpr (requires { request.request_options(); }) {
      for (const auto& option : request.request_options())
        call.reattachable |= option.reattach_options().reattachable();
    }
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }

  grpc::Status play(grpc::ServerContext& context, const std::string& operation_id, grpc::ServerWriter<Response>& to) {
    Part part;
    {
      const std::lock_guard lock(mutex_);
      if (script_.empty()) {
        part.responses.emplace_back().mutable_result_complete();
      } else {
        part = std::move(script_.front());
        script_.pop_front();
      }
    }
    for (Response& response : part.responses) {
      response.set_operation_id(operation_id);
      response.set_server_side_session_id("server-side");
      if (response.response_id().empty()) response.set_response_id("r" + std::to_string(++responses_));
      to.Write(response);
    }
    while_running(context);
    return part.status;
  }

  grpc::Status ExecutePlan(grpc::ServerContext* context, const ::spark::connect::ExecutePlanRequest* request,
                           grpc::ServerWriter<Response>* to) override {
    note("ExecutePlan", *context, *request, request->plan().command().sql_command().input().sql().query());
    return play(*context, request->operation_id(), *to);
  }
  grpc::Status ReattachExecute(grpc::ServerContext* context, const ::spark::connect::ReattachExecuteRequest* request,
                               grpc::ServerWriter<Response>* to) override {
    note("ReattachExecute", *context, *request, request->last_response_id());
    return play(*context, request->operation_id(), *to);
  }
  grpc::Status AnalyzePlan(grpc::ServerContext* context, const ::spark::connect::AnalyzePlanRequest* request,
                           ::spark::connect::AnalyzePlanResponse* answer) override {
    note("AnalyzePlan", *context, *request);
    const std::lock_guard lock(mutex_);
    if (!analyze_fails.empty()) {
      const grpc::Status status = analyze_fails.front();
      analyze_fails.pop_front();
      return status;
    }
    answer->set_server_side_session_id("server-side");
    answer->mutable_spark_version()->set_version(version);
    return grpc::Status::OK;
  }
  grpc::Status Config(grpc::ServerContext* context, const ::spark::connect::ConfigRequest* request,
                      ::spark::connect::ConfigResponse* answer) override {
    std::string pairs;
    for (const auto& pair : request->operation().set().pairs()) pairs += pair.key() + "=" + pair.value() + ";";
    note("Config", *context, *request, pairs);
    answer->set_server_side_session_id("server-side");
    return grpc::Status::OK;
  }
  grpc::Status Interrupt(grpc::ServerContext* context, const ::spark::connect::InterruptRequest* request,
                         ::spark::connect::InterruptResponse*) override {
    note("Interrupt", *context, *request);
    return grpc::Status::OK;
  }
  grpc::Status ReleaseExecute(grpc::ServerContext* context, const ::spark::connect::ReleaseExecuteRequest* request,
                              ::spark::connect::ReleaseExecuteResponse*) override {
    note("ReleaseExecute", *context, *request);
    return grpc::Status::OK;
  }
  grpc::Status ReleaseSession(grpc::ServerContext* context, const ::spark::connect::ReleaseSessionRequest* request,
                              ::spark::connect::ReleaseSessionResponse*) override {
    note("ReleaseSession", *context, *request);
    return grpc::Status::OK;
  }
  grpc::Status FetchErrorDetails(grpc::ServerContext* context,
                                 const ::spark::connect::FetchErrorDetailsRequest* request,
                                 ::spark::connect::FetchErrorDetailsResponse* answer) override {
    note("FetchErrorDetails", *context, *request, request->error_id());
    answer->ParseFromString(details);
    return grpc::Status::OK;
  }

  mutable std::mutex mutex_;
  std::vector<Call> calls_;
  std::deque<Part> script_;
  std::atomic<int> responses_{0};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pinflow::spark
