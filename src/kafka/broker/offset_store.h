// The offsets that consumer groups have committed, on disk: what a call wrote survives kill -9 and power loss when it
// returns. Thread-safe; commits of several threads share a write and an fsync.
//
//   STATE_DIR/offsets.log   frames: size u32 | crc32c of the payload u32 | payload
//     payload: entries, one after the other, in Kafka's classic encoding:
//       0  i8 | group string | protocol type string | topic string | topic id uuid | partition i32 | offset i64
//          | leader epoch i32 | metadata string | time i64                       committed
//       1  i8 | group string                                                     the group is gone
//       2  i8 | group string | topic string | partition i32                      the offset is gone
//       3  i8 | topic string                                                     every group's offsets of the topic are
// One write is one frame. A frame cut short at the end was never acknowledged and is cut off at the next open; a frame
// that does not check anywhere else is an error. The file is rewritten when most of it is out of date.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

struct CommittedOffset {
  Uuid topic_id;  // of the topic at that time: a topic made anew under the name has no offsets
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t time_ms = 0;
};

using TopicPartition = std::pair<std::string, int32_t>;

struct CommittedGroup {
  std::string protocol_type;
  std::map<TopicPartition, CommittedOffset> offsets;  // never empty
};

class OffsetStore {
 public:
  struct Options {
    int64_t compact_bytes = 4 << 20;   // a file larger than this, and more than half out of date, is rewritten
    int64_t pending_bytes = 64 << 20;  // waiting to be written: above it commits fail with `full`
  };
  // Makes the folder where it is missing.
  static Result<std::unique_ptr<OffsetStore>> open(const std::filesystem::path& folder, Options options);
  static Result<std::unique_ptr<OffsetStore>> open(const std::filesystem::path& folder) { return open(folder, {}); }

  Result<> commit(const std::string& group, const std::string& protocol_type,
                  const std::vector<std::pair<TopicPartition, CommittedOffset>>& offsets);
  Result<> forget_group(const std::string& group);
  Result<> forget_offsets(const std::string& group, const std::vector<TopicPartition>& partitions);
  Result<> forget_topic(const std::string& topic);

  std::optional<CommittedGroup> find(const std::string& group) const;
  std::map<std::string, std::string> groups() const;  // group to protocol type

 private:
  OffsetStore(std::filesystem::path path, Options options) : path_(std::move(path)), options_(options) {}
  // One write to the file, for all the calls that wait for it.
  struct Round {
    bool done = false;
    Result<> result;
  };
  Result<> load();
  Result<> write(std::string entries);
  bool apply(std::string_view entries);  // false where they do not parse
  Result<> append(const std::string& entries);
  void compact_if_due();
  std::string all_entries() const;

  const std::filesystem::path path_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable written_;
  std::map<std::string, CommittedGroup> groups_;
  std::string pending_;                                       // entries of calls that wait for the next write
  std::shared_ptr<Round> round_ = std::make_shared<Round>();  // what those calls will be told
  bool writing_ = false;  // some caller writes for the others; it alone uses the fields below

  Fd file_;
  int64_t file_bytes_ = 0;
  int64_t live_bytes_ = 0;  // about what a rewritten file would have
  bool broken_ = false;     // the file's end is unknown: nothing can be committed any more
};

}  // namespace pinflow::kafka
