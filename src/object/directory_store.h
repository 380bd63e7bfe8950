// Objects as the files of a folder on this machine: the object "a/b.json" is ROOT/a/b.json, and nothing but whole
// objects ever stands there, also after kill -9 or power loss. Several processes may use one folder at once.
//
//   ROOT/<part>/<part>/…                   objects
//   ROOT/.staging/.lock                    held for a moment, while a process comes or cleans up
//   ROOT/.staging/<process>-<n>/.lock      held as long as that process has the store open
//   ROOT/.staging/<process>-<n>/…          unfinished files; removed at the next open when their process is dead
//
// An object is written to a file without a name (O_TMPFILE; where the file system has none, in the staging folder),
// synced, linked to its name, and the folder synced: link(2) makes no file where there is one.
#pragma once

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::object {

// Makes the folder where there is none. denied, full, …: by the system's error; unsupported: the file system has no
// hard links. `unnamed_files` off: never O_TMPFILE, also where it works.
Result<std::unique_ptr<Store>> open_directory(const std::filesystem::path& root, bool unnamed_files = true);

// Files held open at once by one put_all_if_absent.
inline constexpr size_t kOpenFilesOfABatch = 64;

}  // namespace pinflow::object
