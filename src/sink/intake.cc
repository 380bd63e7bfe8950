#include "sink/intake.h"

#include "base/logging.h"

namespace pinflow::sink {

std::unexpected<Error> bad_record(const kafka::Message& record, std::string_view reason) {
  return invalid(
      "{}/{}: the record at offset {} cannot be written ({}), and errors.tolerance=none stops the sink at it. With "
      "errors.tolerance=all it goes to the dead letters",
      record.topic, record.partition, record.offset, reason);
}

void log_bad_record(const kafka::Message& record, std::string_view reason) {
  warn("sink: {}/{}: the record at offset {} is a dead letter: {}", record.topic, record.partition, record.offset,
       reason);
}

}  // namespace pinflow::sink
