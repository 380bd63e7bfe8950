// Where streams are kept: the log that holds their records, and a file for each stream's metadata. Each change of a
// stream is one replaced file, so after a crash it is there whole or not at all. Owned by the catalogue.
//
//   DIR/records/                a log of its own; the topic <stream id> has one partition for each shard
//   DIR/streams/<name>.json     {"id":"…","created_ms":…,"shards":[…],…}
//   DIR/streams/<id>.deleted    what <name>.json was: the topic may be dropped, then this
//   DIR/seal.key                32 random bytes that iterators and tokens are sealed with
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "kinesis/api/stream.h"

namespace pinflow::kinesis {

class StreamFiles {
 public:
  // Makes the folders where they are missing.
  static Result<StreamFiles> open(std::filesystem::path dir);

  std::filesystem::path log_folder() const { return dir_ / "records"; }
  Result<std::string> seal_key() const;

  // Sorted by name. corrupt where a file is none of ours.
  Result<std::vector<Stream>> read() const;
  // On an error the file may be the old or the new one.
  Result<> write(const Stream& stream) const;
  // Marks it as deleted. The mark stays until its records are gone, `forget`.
  Result<> remove(const Stream& stream) const;
  std::vector<std::string> deleted() const;  // ids
  void forget(const std::string& id) const;

 private:
  explicit StreamFiles(std::filesystem::path dir) : dir_(std::move(dir)) {}
  std::filesystem::path path_of(const std::string& name) const;
  std::filesystem::path mark_of(const std::string& id) const;

  std::filesystem::path dir_;
};

// 32 hexadecimal digits that were never given before.
std::string new_stream_id();

// Pure.
std::string to_json(const Stream& stream);
Result<Stream> parse_stream(std::string name, std::string_view json);

}  // namespace pinflow::kinesis
