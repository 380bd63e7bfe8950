#include "log/batch_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace pinflow::log {
namespace {

constexpr int64_t kHeaderWindow = 16 << 10;  // one read finds a batch from the index
constexpr int64_t kWholeWindow = 1 << 20;

}  // namespace

Result<> read_exactly(int fd, int64_t position, int64_t bytes, std::string& to) {
  int error = 0;
  int64_t done = 0;
  const size_t before = to.size();
  to.resize_and_overwrite(before + static_cast<size_t>(bytes), [&](char* buffer, size_t) {
    while (done < bytes) {
      const ssize_t got = ::pread(fd, buffer + before + done, static_cast<size_t>(bytes - done), position + done);
      if (got > 0) {
        done += got;
      } else if (got == 0 || errno != EINTR) {
        error = got == 0 ? 0 : errno;
        break;
      }
    }
    return before + static_cast<size_t>(done);
  });
  if (done == bytes) return {};
  if (error != 0) return system_error(error, "read");
  return corrupt("the file ends at {}, expected {} bytes more", position + done, bytes - done);
}

Result<std::string_view> BatchReader::bytes_at(int64_t position, int64_t bytes) {
  const auto window_end = window_at_ + static_cast<int64_t>(window_.size());
  if (position < window_at_ || position + bytes > window_end) {
    const int64_t ahead = reads_ == Reads::whole ? kWholeWindow : kHeaderWindow;
    window_.clear();
    window_at_ = position;
    if (auto read = read_exactly(fd_, position, std::min(std::max(bytes, ahead), limit_ - position), window_); !read) {
      window_.clear();
      return pass(read.error());
    }
  }
  return std::string_view(window_).substr(static_cast<size_t>(position - window_at_), static_cast<size_t>(bytes));
}

Result<std::optional<BatchHeader>> BatchReader::next() {
  position_ = next_;
  const int64_t left = limit_ - position_;
  if (left <= 0) return std::nullopt;
  if (left < static_cast<int64_t>(kBatchHeaderBytes)) return corrupt("a batch is cut after {} bytes", left);
  auto bytes = bytes_at(position_, kBatchHeaderBytes);
  if (!bytes) return pass(bytes.error());
  auto header = read_batch_header(*bytes);
  if (!header) return corrupt("no record batch begins here");
  if (header->bytes() > left) return corrupt("a batch of {} bytes is cut after {}", header->bytes(), left);
  if (reads_ == Reads::whole) {
    bytes = bytes_at(position_, header->bytes());
    if (!bytes) return pass(bytes.error());
    if (auto checked = check_batch(*bytes); !checked) return corrupt("{}", checked.error().message);
  }
  next_ = position_ + header->bytes();
  return *header;
}

}  // namespace pinflow::log
