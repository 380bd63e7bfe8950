#include "object/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/files.h"

namespace pinflow::object {
namespace fs = std::filesystem;
namespace {

class Lister {
 public:
  Lister(const fs::path& root, std::string_view prefix, std::string_view after)
      : root_(root), prefix_(prefix), after_(after) {}

  Result<std::vector<ObjectInfo>> run() {
    const size_t slash = prefix_.rfind('/');
    if (auto walked = walk(slash == std::string_view::npos ? "" : std::string(prefix_.substr(0, slash + 1))); !walked)
      return pass(walked.error(), "listing {}", root_.string());
    std::ranges::sort(found_, {}, &ObjectInfo::name);
    return std::move(found_);
  }

 private:
  // `folder` is empty or ends in '/'.
  Result<> walk(const std::string& folder) {
    const fs::path path = root_ / folder;
    std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(path.c_str()), ::closedir);
    if (!open) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return system_error(errno, "open " + path.string());
    }
    std::vector<std::string> folders;
    const size_t before = found_.size();
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(open.get());
      if (entry == nullptr) {
        if (errno != 0) return system_error(errno, "read " + path.string());
        break;
      }
      if (entry->d_name[0] == '.') continue;
      std::string name = folder + entry->d_name;
      if (entry->d_type == DT_REG && !is_wanted(name)) continue;
      struct stat status {};
      if (entry->d_type == DT_DIR) {
        status.st_mode = S_IFDIR;
      } else if (::fstatat(::dirfd(open.get()), entry->d_name, &status, 0) != 0) {
        if (errno == ENOENT) continue;
        return system_error(errno, "stat " + (path / entry->d_name).string());
      }
      if (S_ISDIR(status.st_mode)) folders.push_back(std::move(name) + "/");
      else if (S_ISREG(status.st_mode) && is_wanted(name)) found_.push_back(info_of(std::move(name), status));
    }
    if (found_.size() > before && ::fsync(::dirfd(open.get())) != 0 && errno != EROFS && errno != EINVAL)
      return system_error(errno, "fsync " + path.string());
    open.reset();
    for (const std::string& below : folders) {
      const bool within = below.starts_with(prefix_) || prefix_.starts_with(below);
      if (!within || past(below)) continue;
      if (auto walked = walk(below); !walked) return walked;
    }
    return {};
  }

  bool is_wanted(const std::string& name) const { return name.starts_with(prefix_) && name > after_; }

  // All names below `folder` are less than `after`.
  bool past(const std::string& folder) const { return folder < after_ && !after_.starts_with(folder); }

  const fs::path& root_;
  const std::string_view prefix_;
  const std::string_view after_;
  std::vector<ObjectInfo> found_;
};

}  // namespace

ObjectInfo info_of(std::string name, const struct stat& status) {
  return {.name = std::move(name),
          .size = status.st_size,
          .modified_ms = int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000};
}

Result<std::vector<ObjectInfo>> list_folder(const fs::path& root, std::string_view prefix, std::string_view after) {
  return Lister(root, prefix, after).run();
}

}  // namespace pinflow::object
