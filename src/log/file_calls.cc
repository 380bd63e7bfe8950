#include "log/file_calls.h"

#include <unistd.h>

namespace pinflow::log {

ssize_t FileCalls::write_at(int fd, const iovec* pieces, int count, off_t position) {
  return ::pwritev(fd, pieces, count, position);
}

int FileCalls::sync(int fd) { return ::fdatasync(fd); }

int FileCalls::truncate(int fd, off_t bytes) { return ::ftruncate(fd, bytes); }

}  // namespace pinflow::log
