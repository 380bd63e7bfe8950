#include "object/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pinflow::object {
namespace fs = std::filesystem;
namespace {

// Waits its turn: holders keep it for milliseconds.
Result<Fd> lock_folder(const fs::path& folder) {
  const fs::path path = folder / ".lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "open " + path.string());
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return system_error(errno, "lock " + path.string());
  return fd;
}

// Whoever holds the lock of its folder is alive. Called under the lock of `all`.
void remove_dead(const fs::path& all) {
  std::error_code error;
  for (fs::directory_iterator entry(all, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;  // what cannot be removed now is left to the next open
    if (!entry->is_directory(ignored)) continue;
    auto dead = FolderLock::take(entry->path());
    if (dead) fs::remove_all(entry->path(), ignored);
  }
}

}  // namespace

Result<Staging> Staging::open(const fs::path& root) {
  static std::atomic<uint64_t> opened{0};
  const fs::path all = root / ".staging";
  if (auto made = make_folders(all); !made) return pass(made.error());
  auto turn = lock_folder(all);
  if (!turn) return pass(turn.error());
  remove_dead(all);
  for (;;) {
    const fs::path mine = all / fmt::format("{}-{}", ::getpid(), opened++);
    // The same number may belong to a living process of another container that shares the folder.
    std::error_code error;
    if (!fs::create_directory(mine, error)) {
      if (error) return system_error(error.value(), "mkdir " + mine.string());
      continue;
    }
    auto lock = FolderLock::take(mine);
    if (!lock) return pass(lock.error());
    return Staging(mine, std::move(*lock));
  }
}

Staging::Staging(Staging&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)), count_(other.count_.load()) {}

Staging::~Staging() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path Staging::new_path() { return path_ / fmt::to_string(count_++); }

}  // namespace pinflow::object
