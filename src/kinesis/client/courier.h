// Calls to a Kinesis service, many under way at once on one thread, each tried again as long as that may help:
// throttled (ProvisionedThroughputExceeded, LimitExceeded), 5xx, no connection, a broken one; with back-off and jitter.
// A clock that the service calls wrong is set right once, credentials that have ended are renewed once. A Courier
// belongs to one thread, which makes every call and gets every callback, but for wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "kinesis/client/endpoint.h"

namespace pinflow::kinesis {

// What the service said: well done, or refused.
struct Reply {
  int status = 200;
  std::string body;     // JSON; empty for operations that give nothing
  std::string type;     // of an error: "ResourceNotFoundException"
  std::string message;  // of an error, the service's words
  // An earlier attempt was sent and its answer lost, or was an error of the server: it may have been carried out.
  bool maybe_done_before = false;

  bool ok() const { return status >= 200 && status < 300; }
  bool throttled() const;
  // Its body, or the error in this program's words, with what was asked ("GetRecords of stream x") before it.
  Error error(std::string_view what) const;
};

enum class Retry {
  never,    // what the service says the first time; only what was never sent is tried again, while no connection comes
  passing,  // all that may help; a put may then be carried out twice
  not_throttled,  // all but throttling, which the caller paces itself
};

// No reply: unavailable (no answer in the attempts), denied (no credentials, TLS), cancelled; with the last, and with
// unavailable, `sent` tells whether the service may have got it.
struct CallOutcome {
  Result<Reply> reply;
  bool sent = false;
};

class Courier {
 public:
  static Result<std::unique_ptr<Courier>> create(std::shared_ptr<const Endpoint> endpoint, int max_connections = 64);
  ~Courier();  // cancel()

  using Done = std::function<void(CallOutcome)>;

  // Begins a call. `done` is called once, from within wait or cancel, never from within call; it may call again.
  void call(std::string operation, std::string body, Retry retry, Done done);
  size_t under_way() const { return under_way_; }  // those that wait for their next attempt among them
  // Works until something has ended or was tried again, or wake(), or for `at_most`: to be called in a loop.
  void wait(std::chrono::milliseconds at_most);
  // Any thread: wait() returns soon, now or at its next call.
  void wake();
  // Ends all that is under way.
  void cancel();

 private:
  struct Job;
  using Clock = std::chrono::steady_clock;
  explicit Courier(std::shared_ptr<const Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}
  void attempt(const std::shared_ptr<Job>& job);
  void settle(const std::shared_ptr<Job>& job, http::Outcome outcome);
  bool may_try_again(const Job& job, const Reply& reply) const;
  void end(Job& job, CallOutcome outcome);

  const std::shared_ptr<const Endpoint> endpoint_;
  std::unique_ptr<http::Client> http_;
  std::multimap<Clock::time_point, std::shared_ptr<Job>> later_;
  std::vector<std::pair<std::shared_ptr<Job>, Error>> failed_;  // that could not be sent, not yet told
  size_t under_way_ = 0;
  size_t ended_ = 0;
};

}  // namespace pinflow::kinesis
