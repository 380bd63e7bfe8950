// The lines of a local file, one after the other, in bounded memory. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

namespace pinflow::lake {

class LineReader {
 public:
  static Result<LineReader> open(const std::filesystem::path& file, size_t longest);

  struct Line {
    std::string_view text;  // without the newline; valid until the next call. Of a line that is too long: its start
    bool too_long = false;
  };
  // False at the end. What stands behind the last newline is a line, unless it is empty.
  Result<bool> next(Line& line);

 private:
  LineReader(Fd fd, std::string name, size_t longest) : fd_(std::move(fd)), name_(std::move(name)), longest_(longest) {}
  Result<> read_more();  // behind what is there
  Result<> skip_to_newline();

  Fd fd_;
  std::string name_;
  size_t longest_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is not yet handed out
  size_t end_ = 0;
  bool at_end_ = false;  // of the file
};

}  // namespace pinflow::lake
