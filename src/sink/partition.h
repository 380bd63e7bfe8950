// One partition as a chain of objects of consecutive offsets. The contracts: intake.h.
#pragma once

#include <cstdint>

#include "gate/json_gate.h"
#include "sink/coverage.h"
#include "sink/intake.h"

namespace pinflow::sink {

class Partition final : public Intake {
 public:
  // `known` is what the lake holds already: those records are passed over. `gate` is the thread's. With
  Partition(const Rotation& rotation, gate::JsonGate& gate, int64_t start, Coverage known, Give give,
            BadRecords bad_records = {});

  Result<> take(const kafka::Message& record, const Now& now) override;
  void reach(int64_t offset) override;
  void close_due(const Now& now) override;
  void close_all(Cause cause) override;

  int64_t start() const override { return start_; }
  int64_t position() const override { return position_; }
  int64_t reached() const override { return reached_; }
  int64_t taken() const override { return taken_; }
  int64_t passed_over() const override { return passed_over_; }
  int64_t open_bytes() const override { return data_.memory() + dead_.memory(); }
  int64_t open_records() const override { return data_.records + dead_.records; }
  bool has_open() const override { return !data_.empty() || !dead_.empty(); }
  int64_t given() const override;

 private:
  void close(File& file, Cause cause);

  const Rotation rotation_;
  gate::JsonGate& gate_;
  const int64_t start_;
  const Coverage known_;
  const int64_t known_end_;
  const Give give_;
  const BadRecords bad_records_;
  int64_t position_;
  int64_t reached_;
  int64_t taken_ = 0;
  int64_t passed_over_ = 0;
  File data_ = File::of(Kind::data);
  File dead_ = File::of(Kind::dead);
};

}  // namespace pinflow::sink
