// The HTTP front of both legs, behind any API stage: the produce half of the REST proxy's v2 API over a TopicWriter,
// and API Gateway's resources before Kinesis (/streams) over any Kinesis endpoint. A request is answered when each of
// its records has been acknowledged or refused, never before. It owns its server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/server.h"
#include "kafka/client/topic_writer.h"
#include "kinesis/client/endpoint.h"

namespace pinflow::gateway {

struct GatewayOptions {
  http::ServerOptions http;           // http.max_body_bytes: a larger request is 413; error_response is the gateway's
  std::string stage = "prod";         // of the invoke URL; any stage is served
  size_t max_record_bytes = 1 << 20;  // key and value; a larger record is its own slot's error
  size_t max_records = 10'000;        // in a request; more is 413
  size_t max_bytes_in_flight = 128 << 20;            // bodies of requests not yet answered; more is 429
  std::shared_ptr<const kinesis::Endpoint> streams;  // nothing: /streams answers 503 with
  std::string why_no_streams = "no Kinesis endpoint is configured";
};

// Totals since the start.
struct GatewayCounts {
  int64_t requests = 0;          // that reached the gateway, of every kind
  int64_t requests_refused = 0;  // answered 4xx or 5xx
  int64_t records_acknowledged = 0;
  int64_t records_failed = 0;               // of well-formed requests: in their slots, or with the whole request
  int64_t stream_records_acknowledged = 0;  // the same of streams
  int64_t stream_records_failed = 0;
};

class Gateway {
 public:
  // Listens when this returns. `writer` outlives the gateway; errors as http::Server::start.
  static Result<std::unique_ptr<Gateway>> start(GatewayOptions options, kafka::TopicWriter& writer);
  virtual ~Gateway() = default;  // stop()

  virtual uint16_t port() const = 0;
  // "http://127.0.0.1:8082/prod"
  virtual std::string invoke_url() const = 0;
  // Takes no new request, waits at most `drain_ms` for the answers under way, then closes. At once when idle.
  virtual void stop(int drain_ms = 5000) = 0;
  // Any thread.
  virtual GatewayCounts counts() const = 0;
};

}  // namespace pinflow::gateway
