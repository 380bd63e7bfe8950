// An object store: whole objects under names with '/', put once, read many times. One interface, three homes:
// a directory (directory_store.h), S3 (s3_store.h), memory (memory_store.h, for tests, with injected faults).
// Thread-safe: any thread may call any function at any time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow::object {

struct ObjectInfo {
  std::string name;  // from the store's root, "topics/local.pin/partition=0/local.pin+0+0000000000.json"
  int64_t size = 0;  // bytes
  int64_t modified_ms = 0;
};

// An object to be made. The bytes are the caller's and stay until the call returns.
struct NewObject {
  std::string_view name;
  std::string_view bytes;
};

// A name is parts joined by single '/'. A part is not empty and does not begin with '.' (so no "..": such names are the
// store's own), and holds no NUL. Every call below refuses others with `invalid`.
Result<> check_name(std::string_view name);

// A file on this machine with an object's bytes. Where the store had to fetch it, it goes with the last copy of
// this value; where the object itself is a local file, it is that file and stays.
class LocalFile {
 public:
  LocalFile(std::filesystem::path path, std::shared_ptr<void> keeper)
      : path_(std::move(path)), keeper_(std::move(keeper)) {}
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<void> keeper_;
};

class Store {
 public:
  virtual ~Store() = default;

  // For messages and engines: "/data/lake", "s3://bucket/prefix".
  virtual std::string url() const = 0;

  // Makes the object unless one of that name exists (already_exists, and nothing is changed). When it returns
  // well, the whole object is durable; after a crash it is whole or absent. Of several at once, one wins.
  // unavailable means it may have been made or not: the caller reads it back to find out.
  // When it says already_exists, what is there is durable too.
  virtual Result<> put_if_absent(std::string_view name, std::string_view bytes) = 0;

  // The same for many objects, in this order: an object is made only when all before it were, so after a crash those
  // that are there are the first ones. Returns how many were made, and the error of the one that was not, if any; what
  // that error says holds for it, the rest was not tried. Cheaper than one by one where objects are small.
  struct Made {
    size_t count = 0;
    Result<> rest;  // the error of objects[count]
  };
  virtual Made put_all_if_absent(const std::vector<NewObject>& objects);

  // The same from a finished local file, which the store consumes: it is gone when the call returns.
  virtual Result<> put_file_if_absent(std::string_view name, const std::filesystem::path& finished) = 0;

  // Makes or replaces the object; for the few that are hints or results (`_last_checkpoint`, answers).
  virtual Result<> put(std::string_view name, std::string_view bytes) = 0;

  virtual Result<std::string> get(std::string_view name) = 0;  // not_found
  virtual Result<ObjectInfo> stat(std::string_view name) = 0;  // not_found
  virtual Result<LocalFile> fetch(std::string_view name) = 0;  // not_found
  // How many fetches of small objects it pays to have under way at once (prefetch.h); 1 where a fetch takes no time.
  virtual size_t fetches_at_once() const { return 1; }
  virtual Result<> remove(std::string_view name) = 0;  // no error where there is none
  // All of them, in this order. Cheaper than one by one in a directory.
  virtual Result<> remove_all(const std::vector<std::string>& names);

  // All objects whose name begins with `prefix`, in the order of their names' bytes; with `after`, only names
  // greater than it. What is listed is durable.
  virtual Result<std::vector<ObjectInfo>> list(std::string_view prefix, std::string_view after = {}) = 0;

  // A folder on this machine for files that put_file_if_absent will take (the same file system where possible).
  virtual std::filesystem::path staging() const = 0;
};

}  // namespace pinflow::object
