// One partition as the sink has it: records come in, files go out. No I/O, no threads: the worker's thread drives it,
// and gives each closed file away.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "gate/json_gate.h"
#include "kafka/client/consumer.h"
#include "sink/coverage.h"
#include "sink/file.h"
#include "sink/rotation.h"

namespace pinflow::sink {

class Partition {
 public:
  using Give = std::function<void(File)>;

  // `known` is what the lake holds already: those records are passed over.
  Partition(const Rotation& rotation, int64_t start, Coverage known, Give give);

  // The next record, in the order of offsets; one seen before is ignored. `gate` is the thread's.
  void take(const kafka::Message& record, gate::JsonGate& gate, int64_t now_ms);
  // The log has nothing before `offset` that was not taken: its end, or offsets that hold no record.
  void reach(int64_t offset);

  void close_due(int64_t now_ms);
  void close_all();

  int64_t start() const { return start_; }
  int64_t position() const { return position_; }  // of the next record that it waits for
  int64_t reached() const { return reached_; }    // all that the log holds before it was taken
  int64_t taken() const { return taken_; }
  int64_t passed_over() const { return passed_over_; }
  int64_t open_bytes() const { return data_.size() + dead_.size(); }
  int64_t open_records() const { return data_.records + dead_.records; }
  bool has_open() const { return !data_.empty() || !dead_.empty(); }
  // All before it was given away (or is in the lake): the lowest offset in progress, or the position.
  int64_t given() const;

 private:
  void close(File& file);

  const Rotation rotation_;
  const int64_t start_;
  const Coverage known_;
  const int64_t known_end_;
  const Give give_;
  int64_t position_;
  int64_t reached_;
  int64_t taken_ = 0;
  int64_t passed_over_ = 0;
  File data_{.kind = Kind::data};
  File dead_{.kind = Kind::dead};
};

}  // namespace pinflow::sink
