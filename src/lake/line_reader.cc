#include "lake/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pinflow::lake {
namespace {

constexpr size_t kBlock = 1 << 20;

}  // namespace

Result<LineReader> LineReader::open(const std::filesystem::path& file, size_t longest) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + file.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error(errno, "stat " + file.string());
  LineReader reader(std::move(fd), file.string(), longest);
  reader.buffer_.resize(std::min(kBlock, static_cast<size_t>(info.st_size) + 1));  // many objects are tiny
  return reader;
}

Result<> LineReader::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::min(std::max(kBlock, buffer_.size() * 2), longest_ + kBlock));
  ssize_t got = 0;
  do got = ::read(fd_.get(), buffer_.data() + end_, buffer_.size() - end_);
  while (got < 0 && errno == EINTR);
  if (got < 0) return system_error(errno, "read " + name_);
  at_end_ = got == 0;
  end_ += static_cast<size_t>(got);
  return {};
}

Result<> LineReader::skip_to_newline() {
  for (;;) {
    if (const void* found = std::memchr(buffer_.data() + begin_, '\n', end_ - begin_)) {
      begin_ = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
      return {};
    }
    begin_ = end_;
    if (at_end_) return {};
    if (auto read = read_more(); !read) return read;
  }
}

Result<bool> LineReader::next(Line& line) {
  size_t looked = 0;  // of the line that begins at begin_, without a newline
  for (;;) {
    const char* from = buffer_.data() + begin_;
    if (const void* found = std::memchr(from + looked, '\n', end_ - begin_ - looked)) {
      const auto length = static_cast<size_t>(static_cast<const char*>(found) - from);
      line = {{from, std::min(length, longest_)}, length > longest_};
      begin_ += length + 1;
      return true;
    }
    looked = end_ - begin_;
    if (looked > longest_) {
      // Its start is kept for the caller; the rest is passed over when the next line is asked for.
      const std::string start(from, longest_);
      if (auto skipped = skip_to_newline(); !skipped) return pass(skipped.error());
      const size_t rest = end_ - begin_;
      std::string joined = start;
      joined.append(buffer_, begin_, rest);
      joined.resize(std::max(joined.size(), start.size() + kBlock));
      buffer_ = std::move(joined);
      begin_ = start.size();
      end_ = begin_ + rest;
      line = {{buffer_.data(), start.size()}, true};
      return true;
    }
    if (at_end_) {
      if (looked == 0) return false;
      line = {{from, looked}, false};
      begin_ = end_;
      return true;
    }
    if (auto read = read_more(); !read) return pass(read.error());
  }
}

}  // namespace pinflow::lake
