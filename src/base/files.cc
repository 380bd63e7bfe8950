#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace pinflow {
namespace fs = std::filesystem;

namespace {

// A name beside `path` that no other call, thread or process uses now. Left over by a crash it is never read.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<uint64_t> count{0};
  return path.parent_path() / fmt::format(".{}.{}-{}.tmp", path.filename().string(), getpid(), count++);
}

Result<> write_synced(const fs::path& path, std::string_view bytes) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "create " + path.string());
  auto written = write_all(fd.get(), bytes, path.string());
  if (written && ::fdatasync(fd.get()) != 0) written = system_error(errno, "fsync " + path.string());
  if (!written) ::unlink(path.c_str());
  return written;
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<std::string> read_file(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + path.string());
  std::string bytes;
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && status.st_size > 0) bytes.reserve(static_cast<size_t>(status.st_size));
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got == 0) return bytes;
    if (got > 0) bytes.append(buffer, static_cast<size_t>(got));
    else if (errno != EINTR) return system_error(errno, "read " + path.string());
  }
}

Result<> write_all(int fd, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put >= 0) bytes.remove_prefix(static_cast<size_t>(put));
    else if (errno != EINTR) return system_error(errno, fmt::format("write {}", what));
  }
  return {};
}

Result<> sync_folder(const fs::path& path) {
  Fd fd(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + path.string());
  if (::fsync(fd.get()) != 0) return system_error(errno, "fsync " + path.string());
  return {};
}

Result<> replace_file(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = temporary_beside(path);
  if (auto written = write_synced(temporary, bytes); !written) return written;
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return system_error(error, "rename to " + path.string());
  }
  return sync_folder(path.parent_path());
}

Result<> create_file(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = temporary_beside(path);
  if (auto written = write_synced(temporary, bytes); !written) return written;
  const int error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  if (error != 0) return system_error(error, "link " + path.string());
  return sync_folder(path.parent_path());
}

Result<> link_file(const fs::path& finished, const fs::path& path) {
  {
    Fd fd(::open(finished.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "open " + finished.string());
    if (::fdatasync(fd.get()) != 0) return system_error(errno, "fsync " + finished.string());
  }
  const int error = ::link(finished.c_str(), path.c_str()) == 0 ? 0 : errno;
  if (error == EXDEV || error == EPERM || error == EMLINK) {
    auto bytes = read_file(finished);
    if (!bytes) return pass(bytes.error());
    ::unlink(finished.c_str());
    return create_file(path, *bytes);
  }
  ::unlink(finished.c_str());
  if (error != 0) return system_error(error, "link " + path.string());
  return sync_folder(path.parent_path());
}

Result<> make_folders(const fs::path& path) {
  if (path.empty() || fs::is_directory(path)) return {};
  if (auto made = make_folders(path.parent_path()); !made) return made;
  if (::mkdir(path.c_str(), 0755) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return {};
    return system_error(errno, "mkdir " + path.string());
  }
  return sync_folder(path.parent_path());
}

Result<FolderLock> FolderLock::take(const fs::path& folder) {
  if (auto made = make_folders(folder); !made) return pass(made.error());
  const fs::path path = folder / ".lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "open " + path.string());
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error(errno, "lock " + path.string());
    return fail(Code::conflict, "{} is in use by another process; stop it, or use another folder", folder.string());
  }
  return FolderLock(std::move(fd));
}

}  // namespace pinflow
