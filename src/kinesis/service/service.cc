#include "kinesis/service/service.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "aws/verify.h"
#include "base/json.h"
#include "base/logging.h"
#include "base/task_threads.h"
#include "kinesis/api/operations.h"
#include "kinesis/service/operation.h"

namespace pinflow::kinesis {
namespace {

constexpr std::string_view kJson = "application/x-amz-json-1.1";
constexpr std::chrono::seconds kTrimming(60);
constexpr size_t kMostWaiting = 4096;      // requests that wait for a thread
constexpr size_t kSmallAnswer = 16 << 10;  // not counted

// Ids of requests: random for each service, then counted.
class RequestIds {
 public:
  RequestIds() {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&first_), sizeof first_) != 1) std::abort();
  }
  std::string next() {
    const uint64_t n = next_.fetch_add(1, std::memory_order_relaxed);
    return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", first_ >> 32, (first_ >> 16) & 0xffff, first_ & 0xfff,
                       (n >> 48) & 0xfff, n & 0xffff'ffff'ffff);
  }

 private:
  uint64_t first_ = 0;
  std::atomic<uint64_t> next_ = 1;
};

http::Response error_response(const ApiError& error) {
  return {error.status,
          std::string(kJson),
          {},
          fmt::format(R"({{"__type":{},"message":{}}})", json_string(error.type), json_string(error.message))};
}

// Of a request that was never taken.
http::Response unread(int status, std::string_view message) {
  if (status == 413) return error_response({413, "RequestEntityTooLargeException", std::string(message)});
  if (status == 429) return error_response({400, "LimitExceededException", std::string(message)});
  if (status >= 500) return error_response({status, "InternalFailure", std::string(message)});
  return error_response({status, "SerializationException", std::string(message)});
}

ApiError error_of(const aws::AuthFailure& failure) {
  switch (failure.problem) {
    case aws::AuthProblem::missing: return {400, "MissingAuthenticationTokenException", failure.message};
    case aws::AuthProblem::incomplete: return {400, "IncompleteSignatureException", failure.message};
    case aws::AuthProblem::unknown_key: return {400, "UnrecognizedClientException", failure.message};
    default: return {400, "InvalidSignatureException", failure.message};
  }
}

// Counts the bytes among those of answers under way, as long as what it gives lives.
http::Respond::Held count_while_held(const std::shared_ptr<Shared>& shared, size_t bytes) {
  shared->answer_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return {nullptr, [shared, bytes](const void*) { shared->answer_bytes.fetch_sub(bytes, std::memory_order_relaxed); }};
}

using Blocking = Text (*)(Shared&, const Value&);

Blocking function_of(Operation operation) {
  switch (operation) {
    case Operation::add_tags_to_stream: return add_tags;
    case Operation::create_stream: return create_stream;
    case Operation::decrease_stream_retention_period: return decrease_retention;
    case Operation::delete_stream: return delete_stream;
    case Operation::describe_account_settings: return describe_account_settings;
    case Operation::describe_limits: return describe_limits;
    case Operation::describe_stream: return describe_stream;
    case Operation::describe_stream_summary: return describe_stream_summary;
    case Operation::get_records: return get_records;
    case Operation::get_shard_iterator: return get_shard_iterator;
    case Operation::increase_stream_retention_period: return increase_retention;
    case Operation::list_shards: return list_shards;
    case Operation::list_streams: return list_streams;
    case Operation::list_tags_for_resource: return list_resource_tags;
    case Operation::list_tags_for_stream: return list_tags;
    case Operation::merge_shards: return merge_shards;
    case Operation::remove_tags_from_stream: return remove_tags;
    case Operation::split_shard: return split_shard;
    case Operation::tag_resource: return tag_resource;
    case Operation::untag_resource: return untag_resource;
    case Operation::update_shard_count: return update_shard_count;
    case Operation::update_stream_mode: return update_stream_mode;
    case Operation::put_record:
    case Operation::put_records: break;
  }
  std::unreachable();
}

// A change waits for puts under way and for the disk: it has a thread of its own, so that it holds up no read.
bool is_change(Operation operation) {
  switch (operation) {
    case Operation::describe_account_settings:
    case Operation::describe_limits:
    case Operation::describe_stream:
    case Operation::describe_stream_summary:
    case Operation::get_records:
    case Operation::get_shard_iterator:
    case Operation::list_shards:
    case Operation::list_streams:
    case Operation::list_tags_for_resource:
    case Operation::list_tags_for_stream: return false;
    default: return true;
  }
}

class HttpService final : public Service {
 public:
  explicit HttpService(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)),
        verifier_({"", "kinesis"}, [this](const std::string& id) { return secret_of(id); }),
        reading_(shared_->options.reading_threads, kMostWaiting),
        changing_(1, kMostWaiting) {}
  ~HttpService() override { stop(0); }

  Result<> listen() {
    http::ServerOptions options = shared_->options.http;
    options.error_response = unread;
    auto server = http::Server::start(std::move(options), [this](const http::Request& request, http::Respond respond) {
      take(request, std::move(respond));
    });
    if (!server) return pass(server.error());
    server_ = std::move(*server);
    trimming_ = std::jthread([this](const std::stop_token& stop) { trim(stop); });
    return {};
  }

  uint16_t port() const override { return server_->port(); }

  Result<> make_stream(const std::string& name, int32_t shards) override {
    const std::string body = fmt::format(R"({{"StreamName":{},"ShardCount":{}}})", json_string(name), shards);
    const OperationShape* shape = find_operation("Kinesis_20131202.CreateStream");
    auto document = parse_json(body);
    auto made = document ? check(document->root, shape->fields) : Answer<>();
    if (made) {
      if (auto created = create_stream(*shared_, document->root); !created) made = Refused(created.error());
    }
    if (made || made.error().type == "ResourceInUseException") return {};
    return fail(made.error().status >= 500 ? Code::unavailable : Code::invalid, "the stream '{}' cannot be made: {}",
                name, made.error().message);
  }

  void stop(int drain_ms) override {
    if (server_) server_->stop(drain_ms);
    trimming_ = {};  // asks it to stop, and joins
    changing_.stop();
    reading_.stop();
    shared_->catalogue->close();  // here, not on a thread of the log that answers the last put
  }

  ServiceCounts counts() const override {
    return {shared_->requests, shared_->requests_refused, shared_->records_put, shared_->records_read};
  }

 private:
  std::optional<std::string> secret_of(const std::string& id) const {
    const auto found = shared_->options.keys.find(id);
    return found == shared_->options.keys.end() ? std::nullopt : std::optional(found->second);
  }

  void take(const http::Request& request, http::Respond respond) {
    shared_->requests.fetch_add(1, std::memory_order_relaxed);
    Answered answer = [shared = shared_, id = ids_.next(), respond = std::move(respond)](Text text) {
      if (!text) shared->requests_refused.fetch_add(1, std::memory_order_relaxed);
      http::Response response =
          text ? http::Response{200, std::string(kJson), {}, std::move(*text)} : error_response(text.error());
      response.headers.push_back({"x-amzn-RequestId", id});
      const size_t bytes = response.body.size();
      respond(std::move(response), bytes > kSmallAnswer ? count_while_held(shared, bytes) : nullptr);
    };
    if (!shared_->options.keys.empty()) {
      if (const auto caller = verifier_.verify(request, shared_->now()); !caller)
        return answer(Refused(error_of(caller.error())));
    }
    dispatch(request, std::move(answer));
  }

  void dispatch(const http::Request& request, Answered answer) {
    const auto refuse = [&](int status, std::string type, std::string message) {
      answer(Refused({status, std::move(type), std::move(message)}));
    };
    if (request.method != "POST" || request.target.substr(0, request.target.find('?')) != "/")
      return refuse(404, "UnknownOperationException", "Requests are posted to /, with X-Amz-Target.");
    const std::string_view type = request.header("Content-Type");
    const std::string_view kind = type.substr(0, type.find(';'));
    if (kind != kJson && kind != "application/json") {
      return refuse(404, "UnknownOperationException",
                    fmt::format("The Content-Type '{}' is not served here; send {}.", kind, kJson));
    }
    const std::string_view target = request.header("X-Amz-Target");
    const OperationShape* shape = find_operation(target);
    if (shape == nullptr)
      return refuse(400, "UnknownOperationException", fmt::format("'{}' is not an operation served here.", target));
    auto document = parse_json(request.body.empty() ? "{}" : std::string_view(request.body));
    if (!document) {
      return refuse(400, "SerializationException",
                    fmt::format("The body is not a JSON object, or has more than {} values.", kMaxValues));
    }
    if (auto checked = check(document->root, shape->fields); !checked) return answer(Refused(checked.error()));
    if (shape->operation == Operation::put_record)
      return put_record(shared_, document->root, request.body.size(), std::move(answer));
    if (shape->operation == Operation::put_records)
      return put_records(shared_, document->root, request.body.size(), std::move(answer));
    if (shape->operation == Operation::get_records && shared_->answer_bytes > shared_->options.max_answer_bytes)
      return answer(throttled("Too many answers wait for their readers. Read more slowly, or less at once."));
    TaskThreads& workers = is_change(shape->operation) ? changing_ : reading_;
    const bool taken = workers.submit(
        [shared = shared_, function = function_of(shape->operation), answer,
         document = std::make_shared<Document>(std::move(*document))] { answer(function(*shared, document->root)); });
    if (!taken) answer(throttled("Too many requests wait. Ask more slowly."));
  }

  void trim(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, stop, kTrimming, [&] { return stop.stop_requested(); })) {
      shared_->catalogue->trim(shared_->now());
    }
  }

  const std::shared_ptr<Shared> shared_;
  RequestIds ids_;
  aws::Verifier verifier_;
  TaskThreads reading_, changing_;
  std::unique_ptr<http::Server> server_;
  std::jthread trimming_;
};

}  // namespace

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options, const std::filesystem::path& dir) {
  const std::string address_hint = options.address_hint;
  Account account{options.account, options.region, options.shard_limit};
  auto catalogue = Catalogue::open(dir, options.log, std::move(account));
  if (!catalogue) return pass(catalogue.error(), "the streams");
  (*catalogue)->trim(options.now());
  auto service = std::make_unique<HttpService>(std::make_shared<Shared>(std::move(options), std::move(*catalogue)));
  if (auto listening = service->listen(); !listening)
    return fail(listening.error().code, "{}{}", listening.error().message, address_hint);
  return service;
}

}  // namespace pinflow::kinesis
