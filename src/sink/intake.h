// One partition as the sink takes it: records come in, files go out. As a chain (partition.h) or by plans
// (planned_partition.h). No I/O, no threads: the worker's thread drives it, and gives each closed file away.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "kafka/client/consumer.h"
#include "sink/file.h"

namespace pinflow::sink {

// The error of errors.tolerance=none.
std::unexpected<Error> bad_record(const kafka::Message& record, std::string_view reason);

// The line of errors.log.enable: where the record stands and why it is dead, never its bytes.
void log_bad_record(const kafka::Message& record, std::string_view reason);

// What is done about a record that cannot be written, beside its dead letter.
struct BadRecords {
  bool stop = false;  // an error instead of the dead letter
  bool log = false;
};

class Intake {
 public:
  using Give = std::function<void(File)>;

  virtual ~Intake() = default;

  // The next record, in the order of offsets; one seen before is ignored. An error ends the sink.
  virtual Result<> take(const kafka::Message& record, const Now& now) = 0;
  // The log has nothing before `offset` that was not taken: its end, or offsets that hold no record.
  virtual void reach(int64_t offset) = 0;

  // Both leave what follows a plan that stands in the store: it ends where the plan says.
  virtual void close_due(const Now& now) = 0;
  virtual void close_all(Cause cause) = 0;

  virtual int64_t start() const = 0;
  virtual int64_t position() const = 0;     // of the next record that it waits for
  virtual int64_t reached() const = 0;      // all that the log holds before it was taken
  virtual int64_t taken() const = 0;        // records
  virtual int64_t passed_over() const = 0;  // records, that were in the lake already
  virtual int64_t ignored() const { return 0; }
  virtual int64_t open_bytes() const = 0;  // of memory
  virtual int64_t open_records() const = 0;
  virtual bool has_open() const = 0;
  // All before it was given away (or is in the lake): the lowest offset in progress, or the position.
  virtual int64_t given() const = 0;
};

}  // namespace pinflow::sink
