// The identities that the log gives: of itself, of topics, of producers. They are never given twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::log {

// 16 random bytes; as text, in Kafka's form: url-safe base64 without padding, 22 characters, not beginning with '-'.
std::string new_uuid();
std::string uuid_text(std::string_view uuid);
Result<std::string> parse_uuid(std::string_view text);

// The cluster id in FOLDER/cluster.json, made where there is none.
Result<std::string> load_cluster_id(const std::filesystem::path& folder);

// Producer ids, taken from FOLDER/producer_ids.json ({"next":N}) in blocks: no id at or above N was ever given, and
// what is left of a block when the process ends is not used. Thread-safe.
class ProducerIds {
 public:
  explicit ProducerIds(std::filesystem::path folder) : file_(std::move(folder) / "producer_ids.json") {}
  Result<> load();
  Result<int64_t> next();

 private:
  const std::filesystem::path file_;
  std::mutex mutex_;
  int64_t next_ = 0;
  int64_t block_end_ = 0;  // durable
};

}  // namespace pinflow::log
