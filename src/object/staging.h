// The folder for a process's unfinished files inside a directory store, known to be alive by a lock that the kernel
// gives back when the process dies. See directory_store.h for the layout.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

namespace pinflow::object {

class Staging {
 public:
  // Removes what dead processes left in ROOT/.staging, then makes this store's own folder there.
  static Result<Staging> open(const std::filesystem::path& root);
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();  // removes its folder

  const std::filesystem::path& path() const { return path_; }
  // A path in the folder that no other call got. Thread-safe.
  std::filesystem::path new_path();

 private:
  Staging(std::filesystem::path path, FolderLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  FolderLock lock_;
  std::atomic<uint64_t> count_{0};
};

}  // namespace pinflow::object
