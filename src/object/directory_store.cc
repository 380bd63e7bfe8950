#include "object/directory_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <set>
#include <system_error>
#include <unordered_set>

#include "base/files.h"
#include "object/listing.h"
#include "object/staging.h"

namespace pinflow::object {
namespace fs = std::filesystem;
namespace {

constexpr int kNewFile = O_WRONLY | O_CLOEXEC;

// A file that is being written and has no name in the store yet. With an empty path it has no name at all and is
// gone with its descriptor.
struct Unfinished {
  Fd fd;
  fs::path path;

  Unfinished() = default;
  Unfinished(Unfinished&&) = default;
  Unfinished& operator=(Unfinished&&) = default;
  ~Unfinished() {
    if (!path.empty()) ::unlink(path.c_str());
  }
};

int link_unfinished(const Unfinished& file, const fs::path& to) {
  if (!file.path.empty()) return ::link(file.path.c_str(), to.c_str());
  const std::string itself = fmt::format("/proc/self/fd/{}", file.fd.get());
  return ::linkat(AT_FDCWD, itself.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW);
}

class DirectoryStore final : public Store {
 public:
  DirectoryStore(fs::path root, Staging staging) : root_(std::move(root)), staging_(std::move(staging)) {}

  // Finds out how new files are made here.
  Result<> probe(bool may_be_unnamed) {
    const fs::path name = staging_.new_path();
    for (const bool unnamed : {true, false}) {
      if (unnamed && !may_be_unnamed) continue;
      unnamed_ = unnamed;
      auto file = begin(staging_.path());
      if (!file && unnamed) continue;
      if (!file) return pass(file.error());
      if (link_unfinished(*file, name) == 0) {
        ::unlink(name.c_str());
        return {};
      }
    }
    return unsupported("{}: the file system has no hard links ({}); choose a folder on another one", root_.string(),
                       std::generic_category().message(errno));
  }

  std::string url() const override { return root_.string(); }

  Result<> put_if_absent(std::string_view name, std::string_view bytes) override {
    return put_some({{name, bytes}}, 0, 1).rest;
  }

  Made put_all_if_absent(const std::vector<NewObject>& objects) override {
    size_t count = 0;
    while (count < objects.size()) {
      auto made = put_some(objects, count, std::min(objects.size(), count + kOpenFilesOfABatch));
      count += made.count;
      if (!made.rest) return {count, std::move(made.rest)};
    }
    return {count, {}};
  }

  Result<> put_file_if_absent(std::string_view name, const fs::path& finished) override {
    Unfinished file;
    file.path = finished;  // gone when this returns, whatever happens
    file.fd = Fd(::open(finished.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.fd) return system_error(errno, "open " + finished.string());
    if (auto good = check_name(name); !good) return good;
    if (::fdatasync(file.fd.get()) != 0) return system_error(errno, "fsync " + finished.string());
    const fs::path path = root_ / name;
    const fs::path folder = path.parent_path();
    if (auto made = ensure_folder(folder); !made) return made;
    const int error = link_unfinished(file, path) == 0 ? 0 : errno;
    if (error == EXDEV || error == EPERM || error == EMLINK) {
      auto bytes = read_file(finished);
      if (!bytes) return pass(bytes.error());
      return put_if_absent(name, *bytes);
    }
    if (error != 0 && error != EEXIST) return system_error(error, "link " + path.string());
    if (auto synced = sync_folder(folder); !synced) return synced;
    if (error != 0) return taken(path);
    return {};
  }

  Result<> put(std::string_view name, std::string_view bytes) override {
    if (auto good = check_name(name); !good) return good;
    const fs::path path = root_ / name;
    if (auto made = ensure_folder(path.parent_path()); !made) return made;
    Unfinished file;
    file.path = staging_.new_path();
    file.fd = Fd(::open(file.path.c_str(), kNewFile | O_CREAT | O_EXCL, 0644));
    if (!file.fd) return system_error(errno, "create " + file.path.string());
    if (auto written = write_all(file.fd.get(), bytes, path.string()); !written) return written;
    if (::fdatasync(file.fd.get()) != 0) return system_error(errno, "fsync " + path.string());
    if (::rename(file.path.c_str(), path.c_str()) != 0) {
      if (errno == EXDEV) return replace_file(path, bytes);
      return system_error(errno, "rename to " + path.string());
    }
    file.path.clear();
    return sync_folder(path.parent_path());
  }

  Result<std::string> get(std::string_view name) override {
    if (auto found = stat(name); !found) return pass(found.error());
    return read_file(root_ / name);
  }

  Result<ObjectInfo> stat(std::string_view name) override {
    if (auto good = check_name(name); !good) return pass(good.error());
    const fs::path path = root_ / name;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      if (errno == ENOTDIR) errno = ENOENT;  // an object where the name has a folder
      return system_error(errno, path.string());
    }
    if (!S_ISREG(status.st_mode)) return not_found("{}: not an object", path.string());
    return info_of(std::string(name), status);
  }

  Result<LocalFile> fetch(std::string_view name) override {
    if (auto found = stat(name); !found) return pass(found.error());
    return LocalFile(root_ / name, nullptr);
  }

  Result<> remove(std::string_view name) override {
    if (auto good = check_name(name); !good) return good;
    const fs::path path = root_ / name;
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return system_error(errno, "remove " + path.string());
    }
    return sync_folder(path.parent_path());
  }

  Result<> remove_all(const std::vector<std::string>& names) override {
    std::set<fs::path> folders;
    for (const std::string& name : names) {
      if (auto good = check_name(name); !good) return good;
      const fs::path path = root_ / name;
      if (::unlink(path.c_str()) == 0) folders.insert(path.parent_path());
      else if (errno != ENOENT && errno != ENOTDIR) return system_error(errno, "remove " + path.string());
    }
    for (const fs::path& folder : folders)
      if (auto synced = sync_folder(folder); !synced) return synced;
    return {};
  }

  Result<std::vector<ObjectInfo>> list(std::string_view prefix, std::string_view after) override {
    return list_folder(root_, prefix, after);
  }

  fs::path staging() const override { return staging_.path(); }

 private:
  static std::unexpected<Error> taken(const fs::path& path) {
    return fail(Code::already_exists, "{} is there already", path.string());
  }

  // A new file for an object of `folder`.
  Result<Unfinished> begin(const fs::path& folder) {
    Unfinished file;
    if (unnamed_) {
      file.fd = Fd(::open(folder.c_str(), kNewFile | O_TMPFILE, 0644));
      if (!file.fd) return system_error(errno, "create a file in " + folder.string());
    } else {
      file.path = staging_.new_path();
      file.fd = Fd(::open(file.path.c_str(), kNewFile | O_CREAT | O_EXCL, 0644));
      if (!file.fd) return system_error(errno, "create " + file.path.string());
    }
    return file;
  }

  Result<Unfinished> write(const NewObject& object) {
    if (auto good = check_name(object.name); !good) return pass(good.error());
    const fs::path path = root_ / object.name;
    for (int attempt = 0;; ++attempt) {
      if (auto made = ensure_folder(path.parent_path()); !made) return pass(made.error());
      auto file = begin(path.parent_path());
      if (!file && file.error().code == Code::not_found && attempt == 0) {
        forget_folders();  // somebody removed it
        continue;
      }
      if (!file) return file;
      if (auto written = write_all(file->fd.get(), object.bytes, path.string()); !written) return pass(written.error());
      return file;
    }
  }

  // Objects [first, last): all are written before the first is synced, so that the file system makes one commit of
  // its journal for many; all are synced before the first is linked; each folder is synced once.
  Made put_some(const std::vector<NewObject>& objects, size_t first, size_t last) {
    Result<> rest;
    std::vector<Unfinished> files;
    files.reserve(last - first);
    for (size_t i = first; i < last && rest; ++i) {
      auto file = write(objects[i]);
      if (!file) {
        rest = pass(file.error());
        break;
      }
      if (last - first > 1) ::sync_file_range(file->fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
      files.push_back(std::move(*file));
    }
    for (size_t i = 0; i < files.size(); ++i) {
      if (::fdatasync(files[i].fd.get()) == 0) continue;
      rest = system_error(errno, fmt::format("fsync {}/{}", root_.string(), objects[first + i].name));
      files.resize(i);
    }
    size_t made = 0;
    std::vector<fs::path> folders;
    for (; made < files.size(); ++made) {
      const fs::path path = root_ / objects[first + made].name;
      const int error = link_unfinished(files[made], path) == 0 ? 0 : errno;
      if (error == EEXIST) rest = taken(path);
      else if (error != 0) rest = system_error(error, "link " + path.string());
      if ((error == 0 || error == EEXIST) && (folders.empty() || folders.back() != path.parent_path()))
        folders.push_back(path.parent_path());
      if (error != 0) break;
    }
    for (const fs::path& folder : folders) {
      auto synced = sync_folder(folder);
      if (!synced) return {0, unavailable("perhaps not durable: {}", synced.error().message)};
    }
    return {made, std::move(rest)};
  }

  // Makes the folder, and the ways to it from the root, durable: once for each folder, as another process may have
  // made it and died before it was.
  Result<> ensure_folder(const fs::path& folder) {
    std::lock_guard lock(folders_mutex_);
    if (durable_folders_.contains(folder.string())) return {};
    std::vector<fs::path> below;
    for (fs::path at = folder; at != root_; at = at.parent_path()) below.push_back(at);
    for (auto at = below.rbegin(); at != below.rend(); ++at) {
      if (durable_folders_.contains(at->string())) continue;
      if (::mkdir(at->c_str(), 0755) != 0 && errno != EEXIST) return system_error(errno, "mkdir " + at->string());
      if (auto synced = sync_folder(at->parent_path()); !synced) return synced;
      if (durable_folders_.size() >= kKnownFolders) durable_folders_.clear();
      durable_folders_.insert(at->string());
    }
    return {};
  }

  void forget_folders() {
    std::lock_guard lock(folders_mutex_);
    durable_folders_.clear();
  }

  static constexpr size_t kKnownFolders = 100'000;

  const fs::path root_;
  Staging staging_;
  bool unnamed_ = true;  // O_TMPFILE works here
  std::mutex folders_mutex_;
  std::unordered_set<std::string> durable_folders_;  // by folders_mutex_
};

}  // namespace

Result<std::unique_ptr<Store>> open_directory(const fs::path& root, bool unnamed_files) {
  std::error_code error;
  fs::path absolute = fs::absolute(root, error).lexically_normal();
  if (error || root.empty()) return invalid("'{}' is no folder for objects", root.string());
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  if (auto made = make_folders(absolute); !made) return pass(made.error(), "opening the object store");
  auto staging = Staging::open(absolute);
  if (!staging) return pass(staging.error(), "opening the object store");
  auto store = std::make_unique<DirectoryStore>(absolute, std::move(*staging));
  if (auto probed = store->probe(unnamed_files); !probed) return pass(probed.error());
  return store;
}

}  // namespace pinflow::object
