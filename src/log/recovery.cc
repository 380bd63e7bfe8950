#include "log/recovery.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "log/batch_reader.h"

namespace pinflow::log {
namespace {

constexpr int64_t kWindow = 1 << 20;
constexpr int64_t kHeader = kBatchHeaderBytes;
// Bytes whose CRC the search may take for each byte searched, so that a hostile record, full of what looks like
// headers, cannot make opening endless.
constexpr int64_t kCrcBytesPerByte = 16;

// Of the header of a batch that was written after an fsync and belongs behind `offset`.
bool may_be_marked(const char* at, int64_t offset, int64_t left) {
  if (load_big<int32_t>(at + 12) != kAfterSync || at[16] != 2) return false;
  const int64_t bytes = int64_t{load_big<int32_t>(at + 8)} + 12;
  return bytes >= kHeader && bytes <= left && load_big<int64_t>(at) > offset;
}

// The position of a whole batch after `from` that is marked kAfterSync; nullopt when there is none.
Result<std::optional<int64_t>> find_marked(int fd, int64_t from, int64_t limit, int64_t offset) {
  int64_t budget = (limit - from) * kCrcBytesPerByte;
  std::string window;
  for (int64_t at = from; limit - at >= kHeader; at += kWindow) {
    window.clear();
    if (auto read = read_exactly(fd, at, std::min(kWindow + kHeader - 1, limit - at), window); !read) {
      return pass(read.error());
    }
    const int64_t starts = static_cast<int64_t>(window.size()) - kHeader + 1;
    for (int64_t i = 0; i < std::min(starts, kWindow); ++i) {
      const int64_t position = at + i;
      if (!may_be_marked(window.data() + i, offset, limit - position)) continue;
      const int64_t bytes = int64_t{load_big<int32_t>(window.data() + i + 8)} + 12;
      budget -= bytes;
      if (budget < 0) return position;  // too many candidates to tell: rather refuse than cut
      std::string batch;
      if (auto read = read_exactly(fd, position, bytes, batch); !read) return pass(read.error());
      if (check_batch(batch)) return position;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Recovered> recover_segment(int fd, const std::filesystem::path& path, int64_t file_bytes, SegmentIndex known) {
  if (known.summary().bytes > file_bytes) {
    return corrupt("{} has {} bytes, but {} were on the disk when the log was closed: the file was cut by somebody",
                   path.string(), file_bytes, known.summary().bytes);
  }
  Recovered recovered{std::move(known), 0, {}};
  BatchReader reader(fd, recovered.index.summary().bytes, file_bytes, BatchReader::Reads::whole);
  for (;;) {
    const int64_t expected = recovered.index.summary().end_offset;
    auto batch = reader.next();
    if (!batch && batch.error().code != Code::corrupt) return pass(batch.error(), "{}", path.string());
    if (batch && !*batch) return recovered;
    if (batch && (*batch)->base_offset == expected && (*batch)->record_count > 0 &&
        (*batch)->last_offset_delta == (*batch)->record_count - 1) {
      recovered.index.note(**batch);
      continue;
    }
    recovered.why = batch ? fmt::format("a batch has offset {}, expected {}", (*batch)->base_offset, expected)
                          : batch.error().message;
    recovered.cut_bytes = file_bytes - reader.position();
    auto marked = find_marked(fd, reader.position() + 1, file_bytes, expected);
    if (!marked) return pass(marked.error(), "{}", path.string());
    if (!*marked) return recovered;
    return corrupt(
        "{}, position {}: {}; the batch at position {} shows that this was on the disk before, so it is not cut. "
        "Restore the file from a copy, or give up what is there from offset {} on: truncate -s {} {}",
        path.string(), reader.position(), recovered.why, **marked, expected, reader.position(), path.string());
  }
}

}  // namespace pinflow::log
