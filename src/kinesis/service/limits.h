// The rates that a shard of AWS takes: 1 MiB/s or 1,000 records/s in, 2 MiB/s and 5 reads/s out. Belongs to one stream,
// under its lock; time comes as a number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pinflow::kinesis {

// Fills at `rate` a second, holds one second's worth. Who asks for more than that is let in when it is full, and
// overdraws it.
class Bucket {
 public:
  explicit Bucket(double rate) : rate_(rate), level_(rate) {}

  bool has(double amount, int64_t now_ms) {
    level_ = std::min(rate_, level_ + rate_ * static_cast<double>(std::max<int64_t>(now_ms - at_ms_, 0)) / 1000);
    at_ms_ = now_ms;
    return level_ >= std::min(amount, rate_);
  }
  void take(double amount) { level_ -= amount; }

 private:
  double rate_, level_;
  int64_t at_ms_ = 0;
};

class ShardRates {
 public:
  bool put(size_t bytes, int64_t now_ms) {
    const auto size = static_cast<double>(bytes);
    if (!bytes_in_.has(size, now_ms) || !records_in_.has(1, now_ms)) return false;
    bytes_in_.take(size);
    records_in_.take(1);
    return true;
  }
  // A read is let in while nothing is owed; what it then gave is taken by `read`.
  bool may_read(int64_t now_ms) {
    if (!bytes_out_.has(0, now_ms) || !reads_.has(1, now_ms)) return false;
    reads_.take(1);
    return true;
  }
  void read(size_t bytes) { bytes_out_.take(static_cast<double>(bytes)); }

 private:
  Bucket bytes_in_{1 << 20}, records_in_{1000}, bytes_out_{2 << 20}, reads_{5};
};

}  // namespace pinflow::kinesis
