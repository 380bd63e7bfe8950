// The requests that wait to be sent: new ones in order, and those to be tried again at their time. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pinflow::emulate {

using Clock = std::chrono::steady_clock;

// Records of one topic or stream that travel together.
struct Parcel {
  size_t type = 0;                  // index into the topics and streams that are posted to
  std::vector<std::string> values;  // JSON objects
  int tries = 0;                    // how often it was sent
  Clock::time_point first_sent{};
};

class Outbox {
 public:
  Outbox(size_t types, size_t records_per_parcel) : building_(types), full_(records_per_parcel) {
    for (size_t i = 0; i < types; ++i) building_[i].type = i;
  }

  // A new record: goes out with others of its type, as soon as there are enough.
  void add(size_t type, std::string value) {
    building_[type].values.push_back(std::move(value));
    ++building_count_;
    if (building_[type].values.size() == full_) close(type);
  }
  // Lets go of those that wait for company.
  void flush() {
    for (size_t type = 0; type < building_.size(); ++type) {
      if (!building_[type].values.empty()) close(type);
    }
  }
  void again(Parcel parcel, Clock::time_point when) { later_.emplace(when, std::move(parcel)); }

  // What may be sent now; those to be tried again come first.
  std::optional<Parcel> take(Clock::time_point now) {
    if (!later_.empty() && later_.begin()->first <= now) {
      Parcel parcel = std::move(later_.begin()->second);
      later_.erase(later_.begin());
      return parcel;
    }
    if (ready_.empty()) return std::nullopt;
    Parcel parcel = std::move(ready_.front());
    ready_.pop_front();
    return parcel;
  }

  size_t ready() const { return ready_.size(); }
  size_t waiting() const { return later_.size(); }
  bool building() const { return building_count_ > 0; }
  bool empty() const { return ready_.empty() && later_.empty() && building_count_ == 0; }
  std::optional<Clock::time_point> next_due() const {
    if (later_.empty()) return std::nullopt;
    return later_.begin()->first;
  }
  // Everything that is left, when time is up.
  std::vector<Parcel> drain() {
    flush();
    std::vector<Parcel> left;
    for (auto& [when, parcel] : later_) left.push_back(std::move(parcel));
    for (Parcel& parcel : ready_) left.push_back(std::move(parcel));
    later_.clear();
    ready_.clear();
    return left;
  }

 private:
  void close(size_t type) {
    building_count_ -= building_[type].values.size();
    ready_.push_back(std::exchange(building_[type], Parcel{.type = type}));
  }

  std::vector<Parcel> building_;  // by type
  size_t full_;
  size_t building_count_ = 0;
  std::deque<Parcel> ready_;
  std::multimap<Clock::time_point, Parcel> later_;
};

}  // namespace pinflow::emulate
