// Where a Kinesis service is, and requests to it, signed: AWS's own of a region, or any other that speaks its protocol.
// Shared by everyone who calls one service; thread-safe.
// Source: Amazon Kinesis Data Streams API Reference (JSON 1.1 over POST /, X-Amz-Target).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/signature.h"
#include "base/error.h"
#include "http/client.h"

namespace pinflow::kinesis {

struct EndpointOptions {
  std::string url;                        // "http://127.0.0.1:4567"; empty: AWS's own of the region
  std::string region;                     // empty: us-east-1
  std::string ca_file;                    // PEM; empty: those that the system trusts
  int attempts = 8;                       // of one call
  std::chrono::milliseconds backoff{50};  // before the second attempt; doubled each time, with jitter, to 5 s at most
  int connect_timeout_ms = 5'000;
  int timeout_ms = 30'000;  // of one attempt
};

class Endpoint {
 public:
  // Asks nothing of the service yet. invalid: a URL that is none.
  static Result<std::shared_ptr<Endpoint>> create(EndpointOptions options,
                                                  std::shared_ptr<aws::CredentialsProvider> credentials);

  const EndpointOptions& options() const { return options_; }
  const std::string& url() const { return url_; }  // "https://kinesis.eu-west-1.amazonaws.com"
  bool is_aws() const { return aws_; }

  // `operation` is "PutRecord"; `body` its JSON, which the request points to. denied: no credentials.
  Result<http::ClientRequest> request(std::string_view operation, std::string_view body) const;

  // The service says that our clock is wrong; its own shows `theirs_ms`. What is signed from now on has that time.
  void set_clock(int64_t theirs_ms) const;
  // The service says that the credentials have ended.
  void renew_credentials() const { credentials_->forget(); }

 private:
  Endpoint(EndpointOptions options, std::shared_ptr<aws::CredentialsProvider> credentials);

  const EndpointOptions options_;
  const std::shared_ptr<aws::CredentialsProvider> credentials_;
  const aws::Scope scope_;
  std::string url_;
  std::string host_;  // of the Host header
  bool aws_ = false;
  mutable std::atomic<int64_t> clock_skew_ms_{0};  // the service's clock less ours
};

}  // namespace pinflow::kinesis
