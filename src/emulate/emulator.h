// The posting loop: draws posts, sends each of their records over HTTP to a REST proxy (the batch leg), to API
// Gateway's front of Kinesis (the streaming leg) or to both, tries again what may be tried again, and counts what
// became of them.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "emulate/rows.h"

namespace pinflow::emulate {

// A record type as the emulator sees it, in the pipeline's order.
struct RecordTarget {
  std::string name;           // "pin"
  std::string topic;          // "local.pin"
  std::string stream;         // "streaming-local-pin"; empty: its records go to no stream
  std::string partition_key;  // of each of its records; empty: the text of
  std::string key_field;      // this field of the record, "index"
};

// Where each record goes.
struct Legs {
  bool batch = true;
  bool stream = false;
};

struct EmulateOptions {
  std::string url;  // the invoke URL with its stage: "http://127.0.0.1:8082/prod"
  std::vector<RecordTarget> records;
  Legs legs;
  std::optional<int64_t> posts;  // how many random ones; nothing: until told to stop
  bool all = false;              // every row once, in order, instead
  int64_t seed = 100;
  double rate = 0;           // posts a second; 0: as fast as they are taken
  bool course_pace = false;  // the course's pauses (0 or 1 s), and one post at a time
  int connections = 32;
  int records_per_request = 1;      // of one topic or stream
  int request_timeout_ms = 30'000;  // then the answer counts as lost
  int give_up_ms = 60'000;          // for one record, tries and pauses together; 0: never while not told to stop
  int first_answer_ms = 10'000;     // the same as long as the server has not answered at all
  int drain_ms = 5'000;             // how long a stop waits for the answers under way
  int read_ahead = 512;             // posts read and not yet sent
  std::ostream* verbose = nullptr;  // gets each post as one JSON line, {"pin":{…},"geo":{…},"user":{…}}
};

// In records. posted = acknowledged + refused + given_up, once all is over.
struct LegCounts {
  int64_t posted = 0;        // each counted once, however often it was sent
  int64_t acknowledged = 0;  // answered with an offset or a sequence number
  int64_t refused = 0;       // answered with an error that trying again does not mend
  int64_t given_up = 0;      // never acknowledged in the time that was allowed
  int64_t answers_lost = 0;  // sendings that may have been stored without our being told: each may be a repeat
  int64_t retries = 0;       // sendings after the first
  std::vector<int64_t> acknowledged_by_type;  // in the order of `records`
};

// Its own numbers are those of both legs together.
struct EmulateCounts : LegCounts {
  LegCounts batch, stream;
  int64_t posts = 0;          // drawn and sent
  std::string first_refusal;  // the reason of the first refused record
  bool stopped = false;       // by a signal, before all was posted
  double seconds = 0;
  std::optional<Error> failure;  // why posting ended early: the source, or a server that does not answer

  bool complete() const { return !failure && !stopped && acknowledged == posted; }
};

using OnProgress = std::function<void(const EmulateCounts&)>;

// Returns when all is posted, or a stop was asked for (base/shutdown.h) and the answers under way have come or their
// time is up, or a record was given up. Runs on the caller's thread, with `rows` read on others; calls `progress` ten
// times a second. invalid: an option that makes no sense, or a source without posts.
Result<EmulateCounts> emulate(RowSource& rows, const EmulateOptions& options, const OnProgress& progress = {});

}  // namespace pinflow::emulate
