// A Kinesis service over a log of its own: the JSON 1.1 API over HTTP/1.1. A put is answered when its records are on
// the disk. It owns its server, threads and folder.
// Source: Amazon Kinesis Data Streams Service API Reference, 2013-12-02.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/server.h"
#include "log/log.h"

namespace pinflow::kinesis {

struct ServiceOptions {
  http::ServerOptions http;                        // error_response is the service's
  log::LogOptions log{.segment_bytes = 64 << 20};  // what is past its retention goes by segments
  std::string address_hint;                        // said where the address cannot be had: which flag names another
  std::string region = "us-east-1";                // of ARNs; signatures of any region are taken
  std::string account = "000000000000";
  // Access key id -> secret: who may ask. Empty: everybody, signed or not.
  std::map<std::string, std::string> keys;
  bool shard_limits = false;              // hold each shard to AWS's rates
  int32_t shard_limit = 1000;             // open shards, all streams together
  size_t max_put_bytes = 128 << 20;       // bodies of puts not yet answered; more is throttled
  size_t max_answer_bytes = 256 << 20;    // of reads, not yet taken by their clients; more is throttled
  int reading_threads = 4;                // of GetRecords and the like; 4,096 may wait, more are throttled
  std::function<int64_t()> now = now_ms;  // the clock, Unix milliseconds
};

// Totals since the start.
struct ServiceCounts {
  int64_t requests = 0;
  int64_t requests_refused = 0;
  int64_t records_put = 0;
  int64_t records_read = 0;
};

class Service {
 public:
  // Opens the folder (conflict where another process has it) and listens. Trims what is past its retention, each
  // minute.
  static Result<std::unique_ptr<Service>> start(ServiceOptions options, const std::filesystem::path& dir);
  virtual ~Service() = default;  // stop()

  virtual uint16_t port() const = 0;
  // Makes a stream where there is none of that name: its shards, at once. Any thread; blocks.
  virtual Result<> make_stream(const std::string& name, int32_t shards) = 0;
  // Takes no new request, waits at most `drain_ms` for the answers under way, then closes. At once when idle.
  virtual void stop(int drain_ms = 5000) = 0;
  // Any thread.
  virtual ServiceCounts counts() const = 0;
};

}  // namespace pinflow::kinesis
