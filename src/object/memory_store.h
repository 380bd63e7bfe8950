// Objects in memory, for tests: gone with the store. Faults are injected by a function that is asked at each call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "object/store.h"

namespace pinflow::object {

class MemoryStore final : public Store {
 public:
  struct Call {
    std::string_view
        operation;          // "put_if_absent", "put_file_if_absent", "put", "get", "stat", "fetch", "remove", "list"
    std::string_view name;  // of the object; of list the prefix
    int64_t number = 0;     // 1 for the first call of any kind
  };
  struct Fault {
    Error error;
    bool after_work = false;  // the work is done, and its answer lost
  };
  // Asked on the calling thread, no lock held (so it may block); nothing: the call goes on as it should.
  using Faults = std::function<std::optional<Fault>(const Call&)>;

  // Fetches take no time; a test may have it say how many pay at once.
  explicit MemoryStore(size_t fetches_at_once = 1);
  ~MemoryStore() override;

  void inject(Faults faults);
  // The n-th call of this operation from now on fails, the first being 1.
  void fail_nth(std::string operation, int64_t n, Fault fault);
  int64_t calls() const;

  std::string url() const override { return "memory:"; }
  Result<> put_if_absent(std::string_view name, std::string_view bytes) override;
  Result<> put_file_if_absent(std::string_view name, const std::filesystem::path& finished) override;
  Result<> put(std::string_view name, std::string_view bytes) override;
  Result<std::string> get(std::string_view name) override;
  Result<ObjectInfo> stat(std::string_view name) override;
  Result<LocalFile> fetch(std::string_view name) override;
  size_t fetches_at_once() const override { return fetches_at_once_; }
  Result<> remove(std::string_view name) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix, std::string_view after = {}) override;
  std::filesystem::path staging() const override { return staging_; }

 private:
  struct Object {
    std::string bytes;
    int64_t modified_ms = 0;
  };

  // Asks for a fault; does the work unless that fault comes before it.
  template <class T>
  Result<T> run(std::string_view operation, std::string_view name, const std::function<Result<T>()>& work);
  Result<> make(std::string_view name, std::string bytes, bool replace);

  const size_t fetches_at_once_;
  std::filesystem::path staging_;
  mutable std::mutex mutex_;  // of all below
  Faults faults_;
  int64_t calls_ = 0;
  int64_t fetched_ = 0;
  std::map<std::string, Object, std::less<>> objects_;
};

}  // namespace pinflow::object
