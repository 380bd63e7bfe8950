#include "gateway/gateway.h"

#include <algorithm>
#include <utility>

#include "gateway/media_types.h"
#include "gateway/produce.h"
#include "gateway/routes.h"
#include "gateway/stream_request.h"
#include "gateway/streams.h"
#include "gateway/topic_json.h"

namespace pinflow::gateway {

http::Response refusal(Shared& shared, const RestError& error, std::string_view content_type) {
  shared.requests_refused.fetch_add(1, std::memory_order_relaxed);
  http::Response response{error.status, std::string(content_type), {}, error_body(error)};
  if (error.status == 429) response.headers.push_back({"Retry-After", "1"});
  return response;
}

namespace {

using kafka::TopicFailure;
using kafka::TopicInfo;

// A preflight request, answered as API Gateway's "Enable CORS" sets it up.
http::Response cors(Resource resource) {
  return {200,
          std::string(kJson),
          {{"Access-Control-Allow-Headers", "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token"},
           {"Access-Control-Allow-Methods", std::string(methods_of(resource))}},
          ""};
}

bool takes(Resource resource, std::string_view method) {
  const std::string_view methods = methods_of(resource);
  const size_t at = methods.find(method);
  return !method.empty() && at != methods.npos && (at == 0 || methods[at - 1] == ',') &&
         (at + method.size() == methods.size() || methods[at + method.size()] == ',');
}

RestError not_found(const Route& route) {
  if (route.resource == Resource::not_yet) {
    return {404, 404, fmt::format("HTTP 404 Not Found: {} is not served here yet.", route.not_yet)};
  }
  return {404, 404,
          "HTTP 404 Not Found: there is no such resource; records are posted to /topics/{topic} and "
          "put to /streams/{stream}/record."};
}

std::expected<std::string, RestError> ask(kafka::TopicWriter& writer, const Route& route) {
  if (route.resource == Resource::topics) {
    const auto names = writer.list_topics();
    if (!names) return std::unexpected(metadata_error(names.error(), ""));
    return topic_names_json(*names);
  }
  const auto topic = writer.describe_topic(route.topic);
  if (!topic) return std::unexpected(metadata_error(topic.error(), route.topic));
  if (route.resource == Resource::topic) return topic_json(*topic);
  if (route.resource == Resource::partitions) return partitions_json(topic->partitions);
  const auto partition = std::ranges::find(topic->partitions, route.partition, &kafka::PartitionInfo::partition);
  if (partition == topic->partitions.end()) {
    return std::unexpected(
        RestError{404, kPartitionNotFound,
                  fmt::format("Partition not found: topic {} has no partition {}.", route.topic, route.partition)});
  }
  return partition_json(*partition);
}

void show(const std::shared_ptr<Shared>& shared, Route route, std::string_view type, const http::Respond& respond) {
  if (route.resource == Resource::root || route.resource == Resource::stage) {
    respond({200, std::string(type), {}, "{}"});
    return;
  }
  const bool asked = shared->side.submit([shared, route = std::move(route), type, respond] {
    auto body = ask(shared->writer, route);
    respond(body ? http::Response{200, std::string(type), {}, std::move(*body)} : refusal(*shared, body.error(), type));
  });
  if (!asked) respond(refusal(*shared, {429, 429, "Too many questions about topics wait for an answer."}, type));
}

// Refusals of paths and methods, in the form of the half that the path is of: {"error_code":…,"message":…} of the REST
// proxy, or {"message":…} of API Gateway.
http::Response refused_path(Shared& shared, std::string_view target, const RestError& error) {
  if (!is_under_streams(target)) return refusal(shared, error, kKafkaV2);
  shared.requests_refused.fetch_add(1, std::memory_order_relaxed);
  return gateway_error(error.status, error.message);
}

// PUT /streams/record reads as a stream named "record", which takes no PUT; meant is a record, without its stream.
bool lacks_its_stream(const Route& route, std::string_view method) {
  return route.resource == Resource::stream && method == "PUT" &&
         (route.stream == "record" || route.stream == "records");
}

void handle(const std::shared_ptr<Shared>& shared, const http::Request& request, http::Respond respond) {
  shared->requests.fetch_add(1, std::memory_order_relaxed);
  auto found = route(request.target);
  const auto refuse = [&](const RestError& error) { return refused_path(*shared, request.target, error); };
  if (!found) return respond(refuse({400, 400, "HTTP 400 Bad Request: " + found.error().message + "."}));
  const Resource resource = found->resource;
  // A single segment may be a stage, whose root can be looked at, as `http://host/prod` in API Gateway. Records posted
  // there were meant for a topic.
  const bool misspelt = resource == Resource::stage && request.method == "POST";
  if (misspelt || methods_of(resource).empty()) return respond(refuse(not_found(*found)));
  if (request.method == "OPTIONS") return respond(cors(resource));
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  if (lacks_its_stream(*found, method)) return respond(refuse({400, 400, which_stream(found->stream)}));
  if (!takes(resource, method)) {
    http::Response response =
        refuse({405, 405, fmt::format("HTTP 405 Method Not Allowed: this path takes {}.", methods_of(resource))});
    response.headers.push_back({"Allow", std::string(methods_of(resource))});
    return respond(std::move(response));
  }
  if (is_of_streams(resource)) return serve_streams(shared, *found, request, std::move(respond));
  const auto type = answer_type(request.header("Accept"));
  if (!type) return respond(refusal(*shared, type.error(), kKafkaV2));
  if (method == "POST" && resource != Resource::root) {
    produce(shared, std::move(*found), request, *type, std::move(respond));
  } else {
    show(shared, std::move(*found), *type, respond);
  }
}

class RestGateway final : public Gateway {
 public:
  RestGateway(std::shared_ptr<Shared> shared, std::unique_ptr<http::Server> server)
      : shared_(std::move(shared)), server_(std::move(server)) {}
  ~RestGateway() override { stop(0); }

  uint16_t port() const override { return server_->port(); }

  std::string invoke_url() const override {
    std::string host = shared_->options.http.host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";  // every address of this machine: one that works here
    if (host.find(':') != host.npos) host = "[" + host + "]";
    return fmt::format("http://{}:{}/{}", host, port(), shared_->options.stage);
  }

  void stop(int drain_ms) override {
    server_->stop(drain_ms);
    if (shared_->streams) shared_->streams->stop();
    shared_->side.stop();
  }

  GatewayCounts counts() const override {
    return {shared_->requests,
            shared_->requests_refused,
            shared_->records_acknowledged,
            shared_->records_failed,
            shared_->stream_records_acknowledged,
            shared_->stream_records_failed};
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(GatewayOptions options, kafka::TopicWriter& writer) {
  options.http.headers.push_back({"Access-Control-Allow-Origin", "*"});
  http::ServerOptions http = options.http;
  const auto shared = std::make_shared<Shared>(std::move(options), writer);
  if (shared->options.streams) {
    auto front = StreamFront::start(shared->options.streams);
    if (!front) return pass(front.error(), "the gateway");
    shared->streams = std::move(*front);
  }
  http.error_response = [shared](int status, std::string_view message) {
    return refusal(*shared, {status, status, std::string(message)}, kKafkaV2);
  };
  auto server = http::Server::start(std::move(http), [shared](const http::Request& request, http::Respond respond) {
    handle(shared, request, std::move(respond));
  });
  if (!server) return pass(server.error(), "the gateway");
  return std::make_unique<RestGateway>(shared, std::move(*server));
}

}  // namespace pinflow::gateway
