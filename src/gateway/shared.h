// What the gateway's requests share. Lives as long as the last of them, so that an acknowledgement that comes after the
// gateway's end finds it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/task_threads.h"
#include "gateway/gateway.h"
#include "gateway/rest_error.h"
#include "gateway/stream_front.h"

namespace pinflow::gateway {

struct Shared {
  Shared(GatewayOptions options, kafka::TopicWriter& writer) : options(std::move(options)), writer(writer) {}

  const GatewayOptions options;
  kafka::TopicWriter& writer;
  TaskThreads side{1, 256};  // for the few requests that must wait (metadata)
  std::atomic<size_t> bytes_in_flight = 0;
  std::atomic<int64_t> requests = 0;
  std::atomic<int64_t> requests_refused = 0;
  std::atomic<int64_t> records_acknowledged = 0;
  std::atomic<int64_t> records_failed = 0;
  std::atomic<int64_t> stream_records_acknowledged = 0;
  std::atomic<int64_t> stream_records_failed = 0;
  std::unique_ptr<StreamFront> streams;  // nothing: no endpoint was given
};

// The answer to a request that failed as a whole; counts it. 429 says when to come back.
http::Response refusal(Shared& shared, const RestError& error, std::string_view content_type);

}  // namespace pinflow::gateway
