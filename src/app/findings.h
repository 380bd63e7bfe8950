// What `pinflow doctor` finds, in the order in which it looks.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::app {

struct Finding {
  std::string check;  // "kafka", "topic", "lake", …
  bool well = true;
  std::string detail;  // what is there; or what is wrong, and what to do
};

class Findings {
 public:
  // `told` hears each finding as soon as it is there.
  explicit Findings(std::function<void(const Finding&)> told = {}) : told_(std::move(told)) {}

  void well(std::string check, std::string detail) { add({std::move(check), true, std::move(detail)}); }
  void bad(std::string check, std::string detail) { add({std::move(check), false, std::move(detail)}); }
  // Of a service whose address `setting` names: where nobody answered, with what to look at.
  void bad(std::string check, const Error& error, std::string_view setting) {
    std::string detail = error.message;
    if (error.code == Code::unavailable) {
      detail += fmt::format("; does it run, is its address right ({}), and does the network let this machine reach it?",
                            setting);
    }
    bad(std::move(check), std::move(detail));
  }
  const std::vector<Finding>& all() const { return all_; }
  bool all_well() const {
    for (const Finding& one : all_) {
      if (!one.well) return false;
    }
    return true;
  }

 private:
  // What was said in full already is not said again: a missing key is missing everywhere.
  void add(Finding finding) {
    for (const Finding& earlier : all_) {
      if (earlier.well || finding.well || !finding.detail.ends_with(earlier.detail)) continue;
      finding.detail.erase(finding.detail.size() - earlier.detail.size());
      finding.detail += fmt::format("see {} above", earlier.check);
      break;
    }
    all_.push_back(std::move(finding));
    if (told_) told_(all_.back());
  }

  std::function<void(const Finding&)> told_;
  std::vector<Finding> all_;
};

}  // namespace pinflow::app
