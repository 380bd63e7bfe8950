// A record that the sink refused, as one line of JSON. Pure.
//
//   {"topic":"local.pin","partition":0,"offset":17,"timestamp":1604883167000,"reason":"not JSON",
//    "value_base64":"…","key_base64":"…","headers":[{"name":"…","value_base64":"…"}]}
//
// timestamp: milliseconds, null where the record has none. value_base64: null for a record without a value. key_base64
// and headers stand only where the record has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "connect/encoding.h"
#include "kafka/client/consumer.h"
#include "kafka/client/topic_writer.h"

namespace pinflow::sink {

// Beside the gate's reasons (gate::text_of): a record whose value is null, a tombstone.
inline constexpr std::string_view kNullValue = "null value";

// With its line feed.
void append_dead_letter(std::string& to, const kafka::Message& record, std::string_view reason);

// Who refused a record, and at what.
struct Refuser {
  std::string_view connector;  // its name
  connect::Stage stage = connect::Stage::value_converter;
  connect::Converter converter = connect::Converter::json;  // of the stage, where it is a converter's
};

// The same record for a topic of dead letters: as it came, with the headers by which Kafka Connect tells why and from
// where (KIP-298), where they are asked for. The key and the value are copied.
kafka::NewRecord dead_letter_record(const kafka::Message& record, std::string_view reason, const Refuser& refuser,
                                    bool headers);

// The offset that a line names; corrupt where it is no such line.
Result<int64_t> offset_of_dead_letter(std::string_view line);

}  // namespace pinflow::sink
