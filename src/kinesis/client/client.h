// Kinesis for who waits for answers: one call for any operation, and typed ones for what workers need. Thread-safe; a
// call takes a courier of its own from a pool for as long as it lasts. (Reading a stream: reader.h. Many calls under
// way at once: courier.h.)
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kinesis/client/courier.h"

namespace pinflow::kinesis {

// A stream made anew under an old name has another.
struct StreamIdentity {
  std::string arn;
  int64_t created_ms = 0;
  bool operator==(const StreamIdentity&) const = default;
};

struct StreamSummary {
  std::string name;
  StreamIdentity identity;
  std::string status;  // "CREATING", "ACTIVE", "UPDATING", "DELETING"
  int64_t retention_hours = 24;
  int32_t open_shards = 0;
};

struct ListedShard {
  std::string id;                // "shardId-000000000003"
  std::string parent, adjacent;  // empty: none
  std::string first_sequence;
  std::string last_sequence;  // of a closed one, where the service says so
  bool closed = false;
  std::string first_hash_key, last_hash_key;  // decimal
};

struct RecordToPut {
  std::string_view data;
  std::string_view partition_key;
  std::string_view explicit_hash_key = {};  // empty: the partition key's
};

struct PutSlot {
  std::string sequence, shard;
  std::string error_code, message;  // where it was not stored
  bool ok() const { return error_code.empty(); }
};

class Client {
 public:
  explicit Client(std::shared_ptr<const Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}

  const std::shared_ptr<const Endpoint>& endpoint() const { return endpoint_; }

  // Any operation; AWS's error comes as a reply.
  CallOutcome call(std::string operation, std::string json, Retry retry = Retry::passing);

  // ---- errors: not_found (no such stream), already_exists, denied, invalid, full (limits), unavailable --------------

  Result<StreamSummary> describe(std::string_view stream);
  Result<std::vector<std::string>> list_streams();
  // All pages, in the service's order. Shards that it has dropped (closed, past the retention) are not among them.
  Result<std::vector<ListedShard>> list_shards(std::string_view stream);
  // Returns when the stream is active, or after `wait`: then unavailable.
  Result<> create_stream(std::string_view stream, int32_t shards,
                         std::chrono::milliseconds wait = std::chrono::seconds(60));
  Result<> wait_until_active(std::string_view stream, std::chrono::milliseconds wait = std::chrono::seconds(60));
  // Of 1 to 500 records, sent once: the slots say what became of each. A lost answer is unavailable.
  Result<std::vector<PutSlot>> put_records(std::string_view stream, std::span<const RecordToPut> records);
  // Tries again what was refused or lost until all are stored: each at least once. The slots in the records' order.
  Result<std::vector<PutSlot>> put_all(std::string_view stream, std::span<const RecordToPut> records);

 private:
  Result<std::unique_ptr<Courier>> take();
  void give_back(std::unique_ptr<Courier> courier);
  // The body of a call that went well; `stream` is for messages.
  Result<std::string> ask(std::string operation, std::string json, std::string_view stream);

  const std::shared_ptr<const Endpoint> endpoint_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Courier>> idle_;
};

}  // namespace pinflow::kinesis
