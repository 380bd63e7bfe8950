#include "kinesis/client/courier.h"

#include <simdjson.h>

#include <algorithm>
#include <random>

#include "aws/signature.h"
#include "base/clock.h"
#include "base/utf8.h"

namespace pinflow::kinesis {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestPause{5'000};
constexpr size_t kMostAnswerBytes = 64 << 20;  // GetRecords: 10 MiB of data as base64 in JSON, and room
constexpr size_t kShownBytes = 300;            // of an answer that is not AWS's, in a message

// Full jitter: between half of it and all of it.
milliseconds with_jitter(milliseconds pause) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(std::uniform_int_distribution<int64_t>(pause.count() / 2, pause.count())(random));
}

bool is_throttling(std::string_view type) {
  return type == "ProvisionedThroughputExceededException" || type == "LimitExceededException" ||
         type == "ThrottlingException" || type == "Throttling" || type == "KMSThrottlingException" ||
         type == "RequestLimitExceeded" || type == "TooManyRequestsException";
}

bool has_clock_trouble(const Reply& reply) {
  if (reply.type == "RequestTimeTooSkewed" || reply.type == "RequestExpired" || reply.type == "RequestInTheFuture")
    return true;
  return (reply.type == "InvalidSignatureException" || reply.type == "SignatureDoesNotMatch") &&
         (reply.message.contains("Signature expired") || reply.message.contains("Signature not yet current"));
}

// The service's time. Its words have it to the moment, "Signature expired: A is now earlier than B (TIME - 5 min.)"; a
// Date may be a second old, which matters where the clock has just been set.
std::optional<int64_t> time_of_service(const Reply& reply, const http::Response& response) {
  if (const size_t at = reply.message.rfind('('); at != std::string::npos) {
    if (const auto told = aws::parse_amz_date(std::string_view(reply.message).substr(at + 1, 16))) return told;
  }
  return parse_http_date(http::find_header(response.headers, "Date"));
}

bool has_ended_credentials(const Reply& reply) {
  return reply.type == "ExpiredTokenException" || reply.type == "ExpiredToken";
}

// Something more is said behind it.
std::string_view without_stop(std::string_view message) {
  return message.substr(0, message.size() - (message.ends_with('.') ? 1 : 0));
}

// The type and the message of an error: {"__type":"com.amazonaws…#Name","message":"…"}, "Message" in some.
void read_error(Reply& reply, const http::Response& response) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view text;
  if (parser.parse(reply.body.data(), reply.body.size()).get(root) == simdjson::SUCCESS && root.is_object()) {
    if (root["__type"].get(text) == simdjson::SUCCESS) reply.type = text;
    if (root["message"].get(text) == simdjson::SUCCESS || root["Message"].get(text) == simdjson::SUCCESS)
      reply.message = text;
  }
  if (reply.type.empty()) {
    const std::string_view header = http::find_header(response.headers, "x-amzn-ErrorType");
    reply.type = header.substr(0, header.find(':'));
  }
  if (const size_t hash = reply.type.rfind('#'); hash != std::string::npos) reply.type.erase(0, hash + 1);
  if (reply.message.empty()) reply.message = utf8_prefix(reply.body, kShownBytes);
}

}  // namespace

bool Reply::throttled() const { return !ok() && (is_throttling(type) || status == 429); }

Error Reply::error(std::string_view what) const {
  const std::string said =
      fmt::format("{}: {} {}{}{}", what, status, type, message.empty() ? "" : ": ", without_stop(message));
  if (type == "ResourceNotFoundException") return {Code::not_found, said};
  if (type == "ResourceInUseException") return {Code::already_exists, said};
  if (throttled()) return {Code::full, said + " (throttled: ask for less, or give the stream more shards)"};
  if (type == "UnrecognizedClientException" || type == "InvalidSignatureException" || type == "SignatureDoesNotMatch" ||
      type == "IncompleteSignature" || type == "IncompleteSignatureException")
    return {Code::denied, said + ". Look at the access key, its secret and the region"};
  if (has_ended_credentials(*this)) return {Code::denied, said + ". The session has ended: get new credentials"};
  if (type == "AccessDeniedException" || type == "MissingAuthenticationToken" ||
      type == "MissingAuthenticationTokenException" || status == 401 || status == 403)
    return {Code::denied, said + ". The keys' policy must allow this"};
  if (status >= 500) return {Code::unavailable, said};
  if (type == "UnknownOperationException" || status == 501) return {Code::unsupported, said};
  return {Code::invalid, said};
}

struct Courier::Job {
  std::string operation;
  std::string body;  // kept as long as another attempt may come
  Retry retry = Retry::passing;
  Done done;
  int attempts = 0;
  milliseconds pause{0};
  bool maybe_done = false;
  bool renewed = false;    // the credentials, once
  bool clock_set = false;  // once
};

Result<std::unique_ptr<Courier>> Courier::create(std::shared_ptr<const Endpoint> endpoint, int max_connections) {
  http::ClientOptions options;
  options.max_connections = max_connections;
  options.max_response_bytes = kMostAnswerBytes;
  options.connect_timeout_ms = endpoint->options().connect_timeout_ms;
  options.timeout_ms = endpoint->options().timeout_ms;
  options.ca_file = endpoint->options().ca_file;
  auto http = http::Client::create(std::move(options));
  if (!http) return pass(http.error());
  std::unique_ptr<Courier> courier(new Courier(std::move(endpoint)));
  courier->http_ = std::move(*http);
  return courier;
}

Courier::~Courier() { cancel(); }

void Courier::call(std::string operation, std::string body, Retry retry, Done done) {
  auto job = std::make_shared<Job>();
  job->operation = std::move(operation);
  job->body = std::move(body);
  job->retry = retry;
  job->done = std::move(done);
  job->pause = endpoint_->options().backoff;
  ++under_way_;
  attempt(job);
}

void Courier::attempt(const std::shared_ptr<Job>& job) {
  auto request = endpoint_->request(job->operation, job->body);
  if (!request) {  // told from within wait, as every end is
    job->attempts = endpoint_->options().attempts;
    failed_.emplace_back(job, request.error());
    return;
  }
  ++job->attempts;
  http_->send(std::move(*request), [this, job](http::Outcome outcome) { settle(job, std::move(outcome)); });
}

void Courier::settle(const std::shared_ptr<Job>& job, http::Outcome outcome) {
  const bool last = job->attempts >= endpoint_->options().attempts;
  const auto again = [&] {
    later_.emplace(Clock::now() + with_jitter(job->pause), job);
    job->pause = std::min(job->pause * 2, kLongestPause);
  };
  if (!outcome.response) {
    const Error& error = outcome.response.error();
    job->maybe_done |= outcome.sent;
    const bool harmless = !outcome.sent || job->retry != Retry::never;
    if (error.code == Code::unavailable && harmless && !last) return again();
    if (error.code == Code::unavailable && job->attempts > 1)
      return end(*job, {unavailable("{} ({} attempts)", error.message, job->attempts), job->maybe_done});
    return end(*job, {pass(error), job->maybe_done});
  }
  Reply reply{outcome.response->status, std::move(outcome.response->body), {}, {}, job->maybe_done};
  if (!reply.ok()) {
    read_error(reply, *outcome.response);
    if (!last && has_clock_trouble(reply) && !job->clock_set) {
      // Signed anew with the service's own time, as AWS's clients do.
      if (const auto theirs = time_of_service(reply, *outcome.response)) {
        endpoint_->set_clock(*theirs);
        job->clock_set = true;
        return attempt(job);
      }
    }
    if (!last && has_ended_credentials(reply) && !job->renewed) {
      endpoint_->renew_credentials();
      job->renewed = true;
      return attempt(job);
    }
    if (!last && may_try_again(*job, reply)) {
      if (reply.status >= 500) job->maybe_done = true;
      return again();
    }
  }
  end(*job, {std::move(reply), true});
}

bool Courier::may_try_again(const Job& job, const Reply& reply) const {
  if (job.retry == Retry::never) return false;
  if (reply.throttled()) return job.retry == Retry::passing;
  return reply.status >= 500 && reply.status != 501;
}

void Courier::end(Job& job, CallOutcome outcome) {
  --under_way_;
  ++ended_;
  const Done done = std::move(job.done);
  job.done = nullptr;
  done(std::move(outcome));
}

void Courier::wait(milliseconds at_most) {
  const auto until = Clock::now() + at_most;
  ended_ = 0;
  while (!failed_.empty()) {
    const auto [job, error] = std::move(failed_.back());
    failed_.pop_back();
    end(*job, {std::unexpected(error), job->maybe_done});
  }
  if (ended_ > 0) return;
  auto now = Clock::now();
  while (!later_.empty() && later_.begin()->first <= now) {
    const std::shared_ptr<Job> job = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    attempt(job);
  }
  if (!failed_.empty()) return wait(milliseconds(0));
  const auto next = later_.empty() ? until : std::min(until, later_.begin()->first);
  http_->wait(std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - now)));
}

void Courier::wake() { http_->wake(); }

void Courier::cancel() {
  auto waiting = std::exchange(later_, {});
  auto failed = std::exchange(failed_, {});
  for (auto& [when, job] : waiting)
    end(*job, {fail(Code::cancelled, "{}: cancelled", job->operation), job->maybe_done});
  for (auto& [job, error] : failed) end(*job, {std::unexpected(error), job->maybe_done});
  http_->cancel();
}

}  // namespace pinflow::kinesis
