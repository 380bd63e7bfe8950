// Keeps up the tables of the stream workers (delta/upkeep.h): checkpoints, small files of past hours folded, what is
// too old cleaned away. Owns a thread, which is mostly asleep.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "object/store.h"

namespace pinflow::stream {

class Caretaker {
 public:
  // `tables`: their names. The store outlives it.
  Caretaker(object::Store& store, std::vector<std::string> tables);
  ~Caretaker();  // behind the piece of work that it is at; then checkpoints, where they are due
  Caretaker(const Caretaker&) = delete;
  Caretaker& operator=(const Caretaker&) = delete;

 private:
  void run();

  object::Store& store_;
  const std::vector<std::string> tables_;
  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pinflow::stream
