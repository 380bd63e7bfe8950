// The upkeep of several tables on a thread of its own, beside the writers of this process. Owned by who starts the
// writers; the store outlives it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "delta/upkeep.h"
#include "object/store.h"

namespace pinflow::delta {

class UpkeepThread {
 public:
  // Begins at once: a step of each table in turn, every `pause` while there is nothing to do. A step that fails is a
  // warning, and is made again after kAfterFailure.
  UpkeepThread(object::Store& store, std::vector<std::string> tables, UpkeepOptions options = {},
               std::chrono::milliseconds pause = std::chrono::seconds(1));
  ~UpkeepThread();  // stop()
  UpkeepThread(const UpkeepThread&) = delete;
  UpkeepThread& operator=(const UpkeepThread&) = delete;

  // Waits for the step under way (a checkpoint, or the folding of fold_bytes at most). Any thread.
  void stop();
  UpkeepReport done() const;  // all together. Any thread

  static constexpr std::chrono::seconds kAfterFailure{60};

 private:
  struct Table {
    std::string name;
    Upkeep upkeep;
    std::chrono::steady_clock::time_point not_before{};
  };
  void run(std::chrono::milliseconds pause);

  std::vector<Table> tables_;  // the thread's
  mutable std::mutex mutex_;   // of the rest
  std::condition_variable changed_;
  bool stopping_ = false;
  UpkeepReport done_;
  std::thread thread_;
};

}  // namespace pinflow::delta
