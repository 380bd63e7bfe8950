#include "object/s3_client.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

#include "aws/digest.h"
#include "base/clock.h"
#include "object/s3_xml.h"

namespace pinflow::object {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPause{10'000};
constexpr milliseconds kLookEvery{250};  // at the stop
constexpr size_t kMostIdle = 16;
constexpr size_t kMostAnswerBytes = size_t{1} << 30;

// "bucket.host" is only a name that resolves where the host is a name; and TLS has no certificate for buckets with
// dots.
bool wants_path_style(const S3Options& options, std::string_view host) {
  if (options.path_style || options.bucket.contains('.')) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || host.starts_with('[') ||
         name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Full jitter: between half of it and all of it.
milliseconds with_jitter(milliseconds pause) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(std::uniform_int_distribution<int64_t>(pause.count() / 2, pause.count())(random));
}

}  // namespace

// One call on its way.
struct S3Client::Job {
  const S3Call* call = nullptr;
  size_t index = 0;
  std::string payload_sha256;
  int attempts = 0;
  Clock::time_point due;
  milliseconds pause{0};
  bool maybe_done = false;
  bool renewed = false;                   // the credentials, once
  bool clock_set = false;                 // once
  std::optional<Result<S3Reply>> result;  // of the last attempt
};

Result<std::unique_ptr<S3Client>> S3Client::create(const S3Options& options, aws::CredentialsProvider& credentials) {
  std::unique_ptr<S3Client> client(new S3Client(options, credentials));
  if (auto resolved = client->resolve(); !resolved) return pass(resolved.error());
  return client;
}

Result<> S3Client::resolve() {
  std::string endpoint = options_.endpoint;
  if (endpoint.empty()) {
    const bool china = options_.region.starts_with("cn-");
    endpoint = fmt::format("https://s3.{}.amazonaws.com{}", options_.region, china ? ".cn" : "");
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const size_t scheme_end = endpoint.find("://");
  const std::string scheme = endpoint.substr(0, std::min(scheme_end, endpoint.size()));
  std::string host = scheme_end == std::string::npos ? "" : endpoint.substr(scheme_end + 3);
  if ((scheme != "http" && scheme != "https") || host.empty() || host.find_first_of("/?#@") != std::string::npos)
    return invalid("the S3 endpoint '{}' is not a URL such as http://127.0.0.1:7070", options_.endpoint);
  const std::string_view standard_port = scheme == "https" ? ":443" : ":80";
  if (host.ends_with(standard_port)) host.resize(host.size() - standard_port.size());
  const bool path_style = wants_path_style(options_, host);
  host_ = path_style ? host : options_.bucket + "." + host;
  root_path_ = path_style ? "/" + options_.bucket + "/" : "/";
  origin_ = scheme + "://" + host_;
  return {};
}

Result<std::unique_ptr<http::Client>> S3Client::take_http() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto client = std::move(idle_.back());
      idle_.pop_back();
      return client;
    }
  }
  http::ClientOptions options;
  options.max_connections = options_.parallel;
  options.max_response_bytes = kMostAnswerBytes;
  options.connect_timeout_ms = options_.connect_timeout_ms;
  options.timeout_ms = options_.timeout_ms;
  options.ca_file = options_.ca_file;
  return http::Client::create(std::move(options));
}

void S3Client::give_back(std::unique_ptr<http::Client> client) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(client));
}

Result<http::ClientRequest> S3Client::signed_request(const S3Call& call, const std::string& payload_sha256) const {
  auto credentials = credentials_.get();
  if (!credentials) return pass(credentials.error());
  aws::SignedRequest request{call.method, host_, root_path_ + call.key, call.query, call.headers, payload_sha256};
  if (call.key.empty() && root_path_.size() > 1) request.path.pop_back();  // "/bucket"
  http::ClientRequest made;
  made.headers = call.headers;
  for (http::HeaderField& field : aws::sign(request, scope_, *credentials, now_ms() + clock_skew_ms_))
    made.headers.push_back(std::move(field));
  if (call.headers.empty() || http::find_header(call.headers, "content-type").empty())
    made.headers.push_back({"content-type", "application/octet-stream"});
  made.method = call.method;
  made.url = origin_ + aws::wire_target(request);
  made.body_view = call.body;
  return made;
}

Result<S3Reply> S3Client::call(const S3Call& call) { return std::move(call_all({call}).front()); }

std::vector<Result<S3Reply>> S3Client::call_all(const std::vector<S3Call>& calls) {
  std::vector<Result<S3Reply>> replies(calls.size(), unavailable("not tried"));
  auto http = take_http();
  if (!http) {
    for (auto& reply : replies) reply = pass(http.error());
    return replies;
  }
  std::deque<std::shared_ptr<Job>> waiting;
  for (size_t i = 0; i < calls.size(); ++i) {
    auto job = std::make_shared<Job>();
    job->call = &calls[i];
    job->index = i;
    job->pause = options_.backoff;
    job->payload_sha256 = !calls[i].payload_sha256.empty() ? calls[i].payload_sha256
                          : calls[i].body.empty()          ? std::string(aws::kEmptySha256)
                                                           : aws::sha256_hex(calls[i].body);
    waiting.push_back(std::move(job));
  }
  size_t open = calls.size();
  std::optional<Clock::time_point> give_up;  // nothing is tried again from then on
  while (open > 0) {
    const auto now = Clock::now();
    auto next = now + kLookEvery;
    if (!give_up && options_.stopping()) give_up = now + options_.patience_at_stop;
    for (auto at = waiting.begin();
         at != waiting.end() && (*http)->under_way() < static_cast<size_t>(options_.parallel);) {
      if (give_up && now >= *give_up && (*at)->attempts > 0) {
        replies[(*at)->index] = given_up(**at);
        --open;
        at = waiting.erase(at);
        continue;
      }
      if ((*at)->due > now) {
        next = std::min(next, (*at)->due);
        ++at;
        continue;
      }
      const std::shared_ptr<Job> job = std::move(*at);
      at = waiting.erase(at);
      ++job->attempts;
      auto request = signed_request(*job->call, job->payload_sha256);
      if (!request) {
        replies[job->index] = pass(request.error());
        --open;
        continue;
      }
      (*http)->send(std::move(*request), [&, job](http::Outcome outcome) {
        if (settle(*job, std::move(outcome))) {
          waiting.push_back(job);
        } else {
          replies[job->index] = std::move(*job->result);
          --open;
        }
      });
    }
    if (open > 0)
      (*http)->wait(std::chrono::ceil<milliseconds>(std::max(next - Clock::now(), Clock::duration::zero())));
  }
  give_back(std::move(*http));
  return replies;
}

bool S3Client::settle(Job& job, http::Outcome outcome) {
  const bool last = job.attempts >= options_.attempts;
  const auto again = [&](Error so_far) {
    so_far.message += fmt::format(" ({} attempt{})", job.attempts, job.attempts == 1 ? "" : "s");
    job.result = pass(so_far);
    if (last) return false;
    job.due = Clock::now() + with_jitter(job.pause);
    job.pause = std::min(job.pause * 2, kLongestPause);
    return true;
  };
  if (!outcome.response) {
    const Error& error = outcome.response.error();
    if (outcome.sent) job.maybe_done = true;
    if (error.code == Code::unavailable)
      return again(error.within(fmt::format("s3://{}/{}", options_.bucket, job.call->key)));
    job.result = pass(error);
    return false;
  }
  S3Reply reply{outcome.response->status, std::move(outcome.response->headers), std::move(outcome.response->body),
                job.maybe_done};
  if (is_passing(job, reply)) {
    if (reply.status >= 500) job.maybe_done = true;
    return again(refusal(*job.call, reply).error());
  }
  job.result = std::move(reply);
  return false;
}

// unavailable whatever it was: an attempt may have been carried out.
Result<S3Reply> S3Client::given_up(const Job& job) {
  return unavailable("{}; not tried again, because of the stop", job.result->error().message);
}

bool S3Client::is_passing(Job& job, const S3Reply& reply) {
  if (reply.status == 501) return false;  // a header or an operation that the service does not have
  if (reply.status >= 500 || reply.status == 429) return true;
  if (reply.status < 400) return false;
  const S3Failure failure = parse_failure(reply.body);
  const std::string& code = failure.code;
  if (code == "RequestTimeout" || code == "SlowDown" || code == "ConditionalRequestConflict" ||
      code == "OperationAborted")
    return true;
  if (code == "RequestTimeTooSkewed" && !job.clock_set) {
    // Signed anew with the service's own time, as AWS's clients do.
    const auto theirs = failure.server_time_ms ? failure.server_time_ms : parse_http_date(reply.header("Date"));
    if (!theirs) return false;
    clock_skew_ms_ = *theirs - now_ms();
    return job.clock_set = true;
  }
  if ((code == "ExpiredToken" || code == "TokenRefreshRequired" || code == "InvalidToken") && !job.renewed) {
    credentials_.forget();
    return job.renewed = true;
  }
  return false;
}

std::unexpected<Error> S3Client::refusal(const S3Call& call, const S3Reply& reply) const {
  S3Failure why = parse_failure(reply.body);
  if (why.code.empty()) {  // a HEAD has no body
    why.code = reply.status == 404   ? "NotFound"
               : reply.status == 403 ? "AccessDenied"
               : reply.status == 412 ? "PreconditionFailed"
               : reply.status == 503 ? "SlowDown"
                                     : "";
  }
  while (why.message.ends_with('.') || why.message.ends_with(' ')) why.message.pop_back();
  const std::string what = fmt::format("{} s3://{}/{}: {} {}{}{}", call.method, options_.bucket, call.key, reply.status,
                                       why.code, why.message.empty() ? "" : ": ", why.message);
  if (why.code == "NoSuchBucket")
    return not_found("{}. The bucket {} is not there: make it, or mend the name or the endpoint", what,
                     options_.bucket);
  // Some services say 404 to a key that they do not know (versitygw: XAdminUserNotFound).
  const bool unknown_key =
      why.code == "InvalidAccessKeyId" || why.code == "InvalidClientTokenId" || why.code.ends_with("UserNotFound");
  if (unknown_key || why.code == "SignatureDoesNotMatch")
    return fail(Code::denied, "{}. Look at the access key and its secret, and at the region ({})", what,
                options_.region);
  if (reply.status == 404) return not_found("{}", what);
  if (reply.status == 412) return fail(Code::already_exists, "{}", what);
  if (reply.status == 301 || why.code == "AuthorizationHeaderMalformed" ||
      why.code == "IllegalLocationConstraintException") {
    std::string region(reply.header("x-amz-bucket-region"));
    if (region.empty()) region = why.region;
    return invalid("{}. The bucket is in another region{}{}: set s3.region, or AWS_REGION", what,
                   region.empty() ? "" : " than " + options_.region + ": ", region);
  }
  if (why.code == "RequestTimeTooSkewed") return fail(Code::denied, "{}. Set this machine's clock", what);
  if (why.code == "ExpiredToken") return fail(Code::denied, "{}. The session has ended: get new credentials", what);
  if (reply.status == 401 || reply.status == 403)
    return fail(Code::denied, "{}. The keys' policy must allow this (docs/s3.md)", what);
  if (reply.status == 501) return fail(Code::unsupported, "{}. The service does not have this", what);
  if (reply.status >= 500 || reply.status == 429) return unavailable("{}", what);
  return invalid("{}", what);
}

}  // namespace pinflow::object
