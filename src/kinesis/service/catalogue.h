// The streams of the service: their metadata, live and durable, and the log that holds their records. Thread-safe. A
// change of a stream (create, delete, reshard, tags) blocks for an fsync or two: it is called on a thread that may.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "kinesis/api/stream.h"
#include "kinesis/service/live_stream.h"
#include "kinesis/service/stream_files.h"
#include "log/log.h"

namespace pinflow::kinesis {

// Whose streams they are, for names and messages.
struct Account {
  std::string id = "000000000000";
  std::string region = "us-east-1";
  int32_t shard_limit = 1000;  // open shards, all streams together
};

class Catalogue {
 public:
  // What a crash left is dropped: records of deleted streams, empty topics of streams that were not made to the end.
  // conflict where another process has the folder; corrupt where a stream's records are not there.
  static Result<std::unique_ptr<Catalogue>> open(const std::filesystem::path& dir, const log::LogOptions& options,
                                                 Account account);

  std::shared_ptr<LiveStream> find(std::string_view name) const;
  std::vector<std::string> names() const;  // sorted
  std::vector<std::shared_ptr<LiveStream>> all() const;
  int32_t open_shards() const;
  Answer<> has_room(int64_t more) const;  // for more open shards

  Answer<> create(Stream stream);
  Answer<> remove(const std::string& name);
  // Stores what `next` makes of the stream. New shards get their partitions first.
  using Next = std::function<Answer<Stream>(const Stream&)>;
  Answer<> change(const std::string& name, const Next& next);

  // Waits for what is pending, answers it, and closes the log. Nothing else is called afterwards.
  void close() { log_.reset(); }

  // Forgets the records that are older than the retention of their stream. Blocks; true when nothing failed.
  bool trim(int64_t now_ms);

  const Account& account() const { return account_; }
  std::string arn_of(std::string_view name) const;
  log::Log& log() { return *log_; }
  const std::string& seal_key() const { return seal_key_; }

 private:
  Catalogue(StreamFiles files, std::unique_ptr<log::Log> log, std::string seal_key, Account account)
      : files_(std::move(files)), log_(std::move(log)), seal_key_(std::move(seal_key)), account_(std::move(account)) {}

  Result<> tidy(const std::vector<Stream>& streams);
  Answer<Stream> store(const Stream& before, Stream after);
  void drop_records(const std::string& id);

  const StreamFiles files_;
  std::unique_ptr<log::Log> log_;
  const std::string seal_key_;
  const Account account_;
  mutable std::shared_mutex mutex_;
  std::mutex changes_;  // one change at a time, of whatever stream
  std::map<std::string, std::shared_ptr<LiveStream>, std::less<>> streams_;
};

}  // namespace pinflow::kinesis
