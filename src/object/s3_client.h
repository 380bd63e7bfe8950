// Signed requests to one bucket, each tried again as long as that may help. Owned by the S3 store; thread-safe: a call
// takes an HTTP client of its own from a pool for as long as it lasts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "aws/signature.h"
#include "base/error.h"
#include "http/client.h"
#include "object/s3_store.h"

namespace pinflow::object {

struct S3Call {
  std::string method = "GET";
  std::string key;  // whole, with the prefix; empty: of the bucket
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<http::HeaderField> headers;
  std::string_view body;       // the caller's until the call returns
  std::string payload_sha256;  // of the body; empty: computed
};

// An answer that another attempt would not change: well done, or refused.
struct S3Reply {
  int status = 0;
  std::vector<http::HeaderField> headers;
  std::string body;
  // An earlier attempt was sent and its answer lost, or was an error of the server: it may have been carried out.
  bool maybe_done_before = false;

  bool ok() const { return status >= 200 && status < 300; }
  std::string_view header(std::string_view name) const { return http::find_header(headers, name); }
};

class S3Client {
 public:
  // Both outlive it. invalid: an endpoint or a bucket that cannot be.
  static Result<std::unique_ptr<S3Client>> create(const S3Options& options, aws::CredentialsProvider& credentials);

  // unavailable: no answer worth having within the attempts, or before a stop; denied: no credentials.
  Result<S3Reply> call(const S3Call& call);
  // At most `options.parallel` at a time; the replies in the order of the calls.
  std::vector<Result<S3Reply>> call_all(const std::vector<S3Call>& calls);

  // What a refusal means, in words that name the bucket and the key and say what to do.
  std::unexpected<Error> refusal(const S3Call& call, const S3Reply& reply) const;

 private:
  struct Job;
  S3Client(const S3Options& options, aws::CredentialsProvider& credentials)
      : options_(options), credentials_(credentials), scope_{options.region, "s3"} {}
  Result<> resolve();

  Result<std::unique_ptr<http::Client>> take_http();
  void give_back(std::unique_ptr<http::Client> client);
  Result<http::ClientRequest> signed_request(const S3Call& call, const std::string& payload_sha256) const;
  // Whether the job is to be tried again; its reply is set where not.
  bool settle(Job& job, http::Outcome outcome);
  // Of a job that is not tried again because of a stop.
  static Result<S3Reply> given_up(const Job& job);
  bool is_passing(Job& job, const S3Reply& reply);

  const S3Options& options_;
  aws::CredentialsProvider& credentials_;
  const aws::Scope scope_;
  std::string origin_;                     // "https://bucket.s3.eu-west-1.amazonaws.com"
  std::string host_;                       // of the Host header
  std::string root_path_;                  // "/", or "/bucket/"
  std::atomic<int64_t> clock_skew_ms_{0};  // the service's clock less ours, once it has complained

  std::mutex mutex_;  // of the pool
  std::vector<std::unique_ptr<http::Client>> idle_;
};

}  // namespace pinflow::object
