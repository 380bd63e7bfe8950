// Steps over the record batches of a .log file, one after the other. Owned and used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "log/batch.h"

namespace pinflow::log {

// In the .log the leader epoch (which the CRC does not cover) is this where all before the batch was on the disk
// when the batch was written, and 0 elsewhere. It tells a torn tail from corruption; see recovery.h. Readers of the
// log always get 0.
inline constexpr int32_t kAfterSync = 1;

class BatchReader {
 public:
  enum class Reads {
    headers,  // only the 61 bytes of each; bodies are stepped over unread
    whole,    // each batch whole, its CRC checked
  };

  // Reads `fd`, which it does not own, from a batch at `from` up to `limit`.
  BatchReader(int fd, int64_t from, int64_t limit, Reads reads) : fd_(fd), next_(from), limit_(limit), reads_(reads) {}

  // The next batch; nullopt at the limit. corrupt where there is none that checks: position() is then where it should
  // begin. unavailable when the file cannot be read.
  Result<std::optional<BatchHeader>> next();

  // Where the batch last given begins, and ends.
  int64_t position() const { return position_; }
  int64_t end() const { return next_; }

 private:
  // `bytes` bytes of the file at `position`, which are below the limit; valid until the next call.
  Result<std::string_view> bytes_at(int64_t position, int64_t bytes);

  int fd_;
  int64_t position_ = 0;
  int64_t next_;
  int64_t limit_;
  Reads reads_;
  std::string window_;
  int64_t window_at_ = 0;
};

// pread(2) of exactly these bytes to the end of `to`. corrupt when the file ends before.
Result<> read_exactly(int fd, int64_t position, int64_t bytes, std::string& to);

}  // namespace pinflow::log
