#include "object/memory_store.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "base/clock.h"
#include "base/files.h"

namespace pinflow::object {
namespace fs = std::filesystem;

MemoryStore::MemoryStore(size_t fetches_at_once) : fetches_at_once_(fetches_at_once) {
  std::string name = (fs::temp_directory_path() / "pinflow-memory-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  staging_ = name;
}

MemoryStore::~MemoryStore() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

void MemoryStore::inject(Faults faults) {
  std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
}

void MemoryStore::fail_nth(std::string operation, int64_t n, Fault fault) {
  auto left = std::make_shared<std::atomic<int64_t>>(n);
  inject([operation = std::move(operation), left, fault = std::move(fault)](const Call& call) -> std::optional<Fault> {
    if (call.operation != operation || --*left != 0) return std::nullopt;
    return fault;
  });
}

int64_t MemoryStore::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

template <class T>
Result<T> MemoryStore::run(std::string_view operation, std::string_view name, const std::function<Result<T>()>& work) {
  Faults faults;
  int64_t number;
  {
    std::lock_guard lock(mutex_);
    faults = faults_;
    number = ++calls_;
  }
  const auto fault = faults ? faults({operation, name, number}) : std::nullopt;
  if (fault && !fault->after_work) return pass(fault->error);
  auto result = [&] {
    std::lock_guard lock(mutex_);
    return work();
  }();
  if (fault) return pass(fault->error);
  return result;
}

Result<> MemoryStore::make(std::string_view name, std::string bytes, bool replace) {
  if (auto good = check_name(name); !good) return good;
  auto [at, made] = objects_.try_emplace(std::string(name));
  if (!made && !replace) return fail(Code::already_exists, "{} is there already", name);
  at->second = {std::move(bytes), now_ms()};
  return {};
}

Result<> MemoryStore::put_if_absent(std::string_view name, std::string_view bytes) {
  return run<void>("put_if_absent", name, [&] { return make(name, std::string(bytes), false); });
}

Result<> MemoryStore::put_file_if_absent(std::string_view name, const fs::path& finished) {
  auto bytes = read_file(finished);
  std::error_code ignored;
  fs::remove(finished, ignored);
  if (!bytes) return pass(bytes.error());
  return run<void>("put_file_if_absent", name, [&] { return make(name, std::move(*bytes), false); });
}

Result<> MemoryStore::put(std::string_view name, std::string_view bytes) {
  return run<void>("put", name, [&] { return make(name, std::string(bytes), true); });
}

Result<std::string> MemoryStore::get(std::string_view name) {
  return run<std::string>("get", name, [&]() -> Result<std::string> {
    if (auto good = check_name(name); !good) return pass(good.error());
    const auto at = objects_.find(name);
    if (at == objects_.end()) return not_found("{}: no such object", name);
    return at->second.bytes;
  });
}

Result<ObjectInfo> MemoryStore::stat(std::string_view name) {
  return run<ObjectInfo>("stat", name, [&]() -> Result<ObjectInfo> {
    if (auto good = check_name(name); !good) return pass(good.error());
    const auto at = objects_.find(name);
    if (at == objects_.end()) return not_found("{}: no such object", name);
    return ObjectInfo{at->first, static_cast<int64_t>(at->second.bytes.size()), at->second.modified_ms};
  });
}

Result<LocalFile> MemoryStore::fetch(std::string_view name) {
  return run<LocalFile>("fetch", name, [&]() -> Result<LocalFile> {
    if (auto good = check_name(name); !good) return pass(good.error());
    const auto at = objects_.find(name);
    if (at == objects_.end()) return not_found("{}: no such object", name);
    const fs::path copy = staging_ / fmt::format("fetched-{}", fetched_++);
    if (!(std::ofstream(copy, std::ios::binary) << at->second.bytes).flush())
      return unavailable("{}: not written", copy.string());
    return LocalFile(copy, std::shared_ptr<void>(nullptr, [copy](void*) {
                       std::error_code ignored;
                       fs::remove(copy, ignored);
                     }));
  });
}

Result<> MemoryStore::remove(std::string_view name) {
  return run<void>("remove", name, [&]() -> Result<> {
    if (auto good = check_name(name); !good) return good;
    if (const auto at = objects_.find(name); at != objects_.end()) objects_.erase(at);
    return {};
  });
}

Result<std::vector<ObjectInfo>> MemoryStore::list(std::string_view prefix, std::string_view after) {
  return run<std::vector<ObjectInfo>>("list", prefix, [&]() -> Result<std::vector<ObjectInfo>> {
    std::vector<ObjectInfo> found;
    for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at)
      if (at->first > after)
        found.push_back({at->first, static_cast<int64_t>(at->second.bytes.size()), at->second.modified_ms});
    return found;
  });
}

}  // namespace pinflow::object
