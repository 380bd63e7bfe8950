// Files that survive a crash: what a call wrote is on the disk when it returns. Thread-safe (no state).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }  // the caller closes it
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

Result<std::string> read_file(const std::filesystem::path& path);

// All of `bytes` to fd, whatever the number of write(2) calls; `what` names the file in an error.
Result<> write_all(int fd, std::string_view bytes, std::string_view what);

// Replaces the file by one with these bytes: a reader, also after a crash, sees the old or the new
// content, never a mixture. Temporary file, fsync, rename(2), fsync of the folder.
Result<> replace_file(const std::filesystem::path& path, std::string_view bytes);

// Creates the file with these bytes only where there is none (else already_exists); complete or absent
// after a crash. Temporary file, fsync, link(2), fsync of the folder.
Result<> create_file(const std::filesystem::path& path, std::string_view bytes);

// The same with a finished local file, which is consumed: linked where it lies on the same file system, copied where
// not.
Result<> link_file(const std::filesystem::path& finished, const std::filesystem::path& path);

// mkdir -p, each new folder's parent fsynced.
Result<> make_folders(const std::filesystem::path& path);
Result<> sync_folder(const std::filesystem::path& path);

// An exclusive lock on a folder (flock on FOLDER/.lock), held as long as the object lives and given back by the
// kernel when the process dies. Where another process holds it: conflict, naming the folder.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder);

 private:
  explicit FolderLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace pinflow
