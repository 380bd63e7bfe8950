#include "stream/caretaker.h"

#include <chrono>
#include <memory>
#include <utility>

#include "base/logging.h"
#include "delta/upkeep.h"
#include "lake/table_files.h"

namespace pinflow::stream {
namespace {

constexpr std::chrono::seconds kEvery{10};
constexpr int64_t kMemory = int64_t{256} << 20;  // of an engine that folds

void say(const std::string& table, const Result<delta::UpkeepReport>& done) {
  if (!done) {
    warn("stream: the upkeep of the table {}: {}; later again", table, done.error().message);
    return;
  }
  if (done->files_folded > 0) {
    info("stream: table {}: {} small files were folded into {}", table, done->files_folded, done->files_made);
  }
}

}  // namespace

Caretaker::Caretaker(object::Store& store, std::vector<std::string> tables)
    : store_(store), tables_(std::move(tables)), thread_([this] { run(); }) {}

Caretaker::~Caretaker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Caretaker::run() {
  delta::UpkeepOptions options;
  options.memory_bytes = kMemory;
  std::vector<std::unique_ptr<delta::Upkeep>> all;
  for (const std::string& table : tables_)
    all.push_back(std::make_unique<delta::Upkeep>(store_, lake::table_folder(table), options));
  for (bool more = false;;) {
    {
      std::unique_lock lock(mutex_);
      if (!more) wake_.wait_for(lock, kEvery, [this] { return stopping_; });
      if (stopping_) break;
    }
    more = false;
    for (size_t i = 0; i < all.size(); ++i) {
      const auto done = all[i]->step();
      say(tables_[i], done);
      more = more || (done && done->more);
    }
  }
  options.fold = options.clean = options.vacuum = false;
  for (const std::string& table : tables_) say(table, delta::Upkeep(store_, lake::table_folder(table), options).step());
}

}  // namespace pinflow::stream
