// What `pinflow doctor` finds, in the order in which it looks.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pinflow::app {

struct Finding {
  std::string check;  // "kafka", "topic", "lake", …
  bool well = true;
  std::string detail;  // what is there; or what is wrong, and what to do
};

class Findings {
 public:
  void well(std::string check, std::string detail) { all_.push_back({std::move(check), true, std::move(detail)}); }
  void bad(std::string check, std::string detail) { all_.push_back({std::move(check), false, std::move(detail)}); }
  const std::vector<Finding>& all() const { return all_; }
  bool all_well() const {
    for (const Finding& one : all_) {
      if (!one.well) return false;
    }
    return true;
  }

 private:
  std::vector<Finding> all_;
};

}  // namespace pinflow::app
