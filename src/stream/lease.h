// Who works on a stream: a lease in the lake, so that two workers do not do the same work. It is advice: a worker that
// was stopped past its lease and goes on does no harm, plans and transactions see to that.
//
//   state/leases/stream/<feed>.json
//   {"owner":"<random>","host":"…","process":4711,"started":123456,"beat":17,"until_ms":1763710500123}
//
// A lease is free when it is absent, when its time is over by its own clock, when its beat has not changed for its
// length by ours (clocks differ), or when its process was of this machine and is gone. There is no compare-and-swap:
// who takes one writes it, waits a moment, and reads whose it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::stream {

struct LeaseRecord {
  std::string owner;    // of one worker of one process, random
  std::string host;     // and its boot
  int64_t process = 0;  // of the host
  int64_t started = 0;  // when the process began, in the host's ticks since boot
  int64_t beat = 0;
  int64_t until_ms = 0;
  bool operator==(const LeaseRecord&) const = default;
};
std::string write_lease(const LeaseRecord& lease);
std::optional<LeaseRecord> parse_lease(std::string_view json);  // nothing: not one

// Used by one thread.
class Lease {
 public:
  Lease(object::Store& store, const std::string& feed, std::chrono::milliseconds length);
  ~Lease();  // release()
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // One look. True: it is ours. False: another has it (see holder); look again after a while.
  Result<bool> try_take();
  // Writes that we live, where a third of the length has passed. False: another has taken it.
  Result<bool> keep();
  void release();

  bool held() const { return held_; }
  std::string holder() const;  // of another: "process 4711 on host x"

 private:
  using Clock = std::chrono::steady_clock;
  Result<std::optional<LeaseRecord>> read();
  bool is_free(const LeaseRecord& there);
  Result<> write();

  object::Store& store_;
  const std::string name_;
  const std::chrono::milliseconds length_;
  LeaseRecord ours_;
  bool held_ = false;
  Clock::time_point written_;
  std::optional<LeaseRecord> other_;  // as it was last seen to change …
  Clock::time_point other_since_;     // … then
};

}  // namespace pinflow::stream
