// The REST proxy's v2 produce request, from the client's side. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::emulate {

inline constexpr std::string_view kJsonRecords = "application/vnd.kafka.json.v2+json";

// {"records":[{"value":…},{"value":…}]}
std::string request_body(const std::vector<std::string>& values);

// What an answer says of one record.
enum class Fate {
  stored,   // acknowledged
  again,    // not stored; may be sent again (429)
  unclear,  // stored or not: to be sent again, which may make a repeat (5xx, a record's retriable error)
  refused,  // not stored, and sending again would not help
};

struct RecordFate {
  Fate fate = Fate::refused;
  std::string reason;  // for people, where it is not stored
};

struct ProduceAnswer {
  std::vector<RecordFate> records;  // one for each that was sent
  bool whole = false;               // the request was refused as a whole: any one record may be the cause
};

// `count`: how many records were sent.
ProduceAnswer read_answer(int status, std::string_view body, size_t count);

}  // namespace pinflow::emulate
