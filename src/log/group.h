// A group of appends to one partition: written by one write, made durable by one fsync, answered together.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "log/log.h"

namespace pinflow::log {

struct Group {
  struct Waiting {
    Log::Done done;
    Appended appended;
  };

  bool new_segment = false;  // it begins a segment
  int64_t bytes = 0;
  std::vector<std::string> chunks;  // small batches one after the other in one, a large one alone
  std::vector<Waiting> waiting;     // in the order of the appends

  void put(std::string batch);
};

// Used groups, kept for their memory, so that appending does not allocate. Thread-safe.
class GroupPool {
 public:
  Group take();
  void give_back(Group group);

 private:
  std::mutex mutex_;
  std::vector<Group> groups_;
};

}  // namespace pinflow::log
