// The system calls whose failure the log must survive, so that a test can make them fail: a full disk, an I/O error,
// a short write. One virtual call for each group of appends, none for each append. Thread-safe (no state).
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

namespace pinflow::log {

// As the system calls: -1 and errno on failure.
class FileCalls {
 public:
  virtual ~FileCalls() = default;
  virtual ssize_t write_at(int fd, const iovec* pieces, int count, off_t position);  // pwritev(2)
  virtual int sync(int fd);                                                          // fdatasync(2)
  virtual int truncate(int fd, off_t bytes);                                         // ftruncate(2)
};

}  // namespace pinflow::log
