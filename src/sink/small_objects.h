// Notices that a topic's objects come out small, and says which setting makes them so. Thread-safe; time is given.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::sink {

// Why a file was closed.
enum class Cause { size, bytes, age, idle, schedule, record_time, folder_change, open_files, memory, gap, told };
inline constexpr size_t kCauses = 11;

inline constexpr int64_t kObjectsToJudge = 2'000;
inline constexpr int64_t kSmallObjectBytes = 64 << 10;

class SmallObjects {
 public:
  // A closed file was given away as so many objects. The warning is to be said by the caller: when the topic's last
  // kObjectsToJudge objects have a mean below kSmallObjectBytes, at most once an hour of `steady_ms`.
  std::optional<std::string> note(std::string_view topic, Cause cause, int64_t objects, int64_t bytes,
                                  int64_t steady_ms);

 private:
  struct Topic {
    int64_t objects = 0;
    int64_t bytes = 0;
    std::array<int64_t, kCauses> causes{};
  };
  std::mutex mutex_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::optional<int64_t> said_ms_;
};

// "flush.size": what to change where this cause makes small objects.
std::string_view remedy_of(Cause cause);

}  // namespace pinflow::sink
