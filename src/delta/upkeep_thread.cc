#include "delta/upkeep_thread.h"

#include <utility>

#include "base/logging.h"

namespace pinflow::delta {

UpkeepThread::UpkeepThread(object::Store& store, std::vector<std::string> tables, UpkeepOptions options,
                           std::chrono::milliseconds pause) {
  for (std::string& table : tables) tables_.push_back({table, Upkeep(store, table, options)});
  thread_ = std::thread([this, pause] { run(pause); });
}

UpkeepThread::~UpkeepThread() { stop(); }

void UpkeepThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

UpkeepReport UpkeepThread::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

void UpkeepThread::run(std::chrono::milliseconds pause) {
  for (;;) {
    bool more = false;
    for (Table& table : tables_) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
      const auto now = std::chrono::steady_clock::now();
      if (now < table.not_before) continue;
      const auto report = table.upkeep.step();
      if (!report) {
        warn("delta: {}; tried again in {} s", report.error().message, kAfterFailure.count());
        table.not_before = now + kAfterFailure;
        continue;
      }
      more = more || report->more;
      const std::lock_guard lock(mutex_);
      done_ += *report;
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, more ? std::chrono::milliseconds(0) : pause, [this] { return stopping_; })) return;
  }
}

}  // namespace pinflow::delta
