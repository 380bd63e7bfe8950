// What a run counted at each station, and whether the stations agree. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace pinflow::app {

// By record type, in the order of the pipeline.
using ByRecord = std::vector<std::pair<std::string, int64_t>>;
int64_t sum_of(const ByRecord& counts);

// Of one leg and one run; everything in records. The tables' counts are totals. In the streaming leg the log is the
// streams', `objects` are the files that its tables gained, `records_in_objects` the records that its workers read, and
// `lake_backlog` those that earlier runs had left in the streams; what is of the sink is 0.
struct LegCounts {
  int64_t posts = 0;               // posts drawn by the emulator: each is one record of every type
  int64_t posted = 0;              // records sent, each counted once however often it was tried again
  int64_t acknowledged = 0;        // … whose answer said that they are stored
  int64_t refused = 0;             // … answered with an error that trying again does not mend
  int64_t answers_lost = 0;        // requests whose answer never came: each may have been stored or not
  int64_t log = 0;                 // records that the log gained
  int64_t sink_backlog = 0;        // records that earlier runs had left in the log, not in objects
  int64_t objects = 0;             // objects that the sink wrote
  int64_t sunk = 0;                // records in those objects
  int64_t dead_in_sink = 0;        // records that the gate refused
  int64_t lake_backlog = 0;        // records in objects that earlier runs had left, not in tables
  int64_t missing = 0;             // offsets that the batch should have met, in no object and no dead letter
  int64_t records_in_objects = 0;  // records that the batch read
  ByRecord raw, clean, duplicates, dead, tables_before, tables;
  ByRecord noted;  // what the cleaning counted: "pin.bad_follower_count", "pin.unknown_fields"
};

// The stations that do not agree, each as a sentence with both numbers; empty when all do:
//   acknowledged <= log <= acknowledged + answers lost
//   log + sink backlog = in objects + dead in the sink;   in objects + lake backlog = read by the batch
//   no offset is missing between objects;
//   per type: read = clean + duplicates + dead;           table after - table before = clean
// A batch by itself has counted only the last two of these. The streaming leg has no sink: there
//   log + lake backlog = read
enum class Stations { all, batch, stream };
std::vector<std::string> differences(const LegCounts& counts, Stations stations = Stations::all);

// The object under "counts" in `run --format json`: those of the batch leg, and under `stream` the other leg's, where
// it has run.
void write_json(JsonWriter& json, const LegCounts& batch, const std::optional<LegCounts>& stream = std::nullopt);

// Lines for people, a station a line.
std::string as_text(const LegCounts& counts, Stations stations = Stations::all);

// "33,462".
std::string grouped(int64_t number);

}  // namespace pinflow::app
