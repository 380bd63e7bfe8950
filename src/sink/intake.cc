#include "sink/intake.h"

namespace pinflow::sink {

std::unexpected<Error> bad_record(const kafka::Message& record, std::string_view reason) {
  return invalid(
      "{}/{}: the record at offset {} cannot be written ({}), and errors.tolerance=none stops the sink at it. With "
      "errors.tolerance=all it goes to the dead letters",
      record.topic, record.partition, record.offset, reason);
}

}  // namespace pinflow::sink
