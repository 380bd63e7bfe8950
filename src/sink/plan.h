// What a generation is to become, written down before any of it is made: an immutable object
//
//   state/sink/<topic>/partition=<p>/<first offset, 20 digits>.json
//   {"first":…,"next":…,"wallclock_ms":…,"settings":"…","dead":…,"objects":[{"name":"…","records":…},…]}
//
// A generation is all files in progress of one Kafka partition, closed together: the log's records of [first, next).
// With the plan anyone can make the same objects again from the log, byte for byte. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connect/encoding.h"
#include "kafka/client/topic_writer.h"

namespace pinflow::sink {

struct PlannedObject {
  std::string name;
  int64_t records = 0;
  bool operator==(const PlannedObject&) const = default;
};

struct Plan {
  int64_t first = 0;         // of its range of offsets, and the name of the plan
  int64_t next = 0;          // one past it
  int64_t wallclock_ms = 0;  // the time that an extractor by the clock was given
  std::string settings;      // a digest of all that changes bytes or names
  int64_t dead = 0;          // records that went to the dead letters
  std::vector<PlannedObject> objects;
  bool operator==(const Plan&) const = default;
};

std::string plan_text(const Plan& plan);
Result<Plan> parse_plan(std::string_view text);  // corrupt

// "state/sink/local.pin/partition=0/".
std::string plan_prefix(std::string_view topic, int32_t partition);
std::string plan_name(std::string_view topic, int32_t partition, int64_t first);

// One file in progress, and its siblings with keys and headers.
struct OpenFile {
  std::string folder;  // of the partitioner
  int64_t first = 0;   // offset of its first record
  connect::Lines lines;
};

// A generation, open or closed, on its way into the store.
struct Generation {
  Plan plan;              // its objects are named when they are made
  bool repeated = false;  // made by a plan that stands in the store
  std::vector<OpenFile> files;
  int64_t records = 0;                         // in the files
  int64_t dead_first = 0;                      // offset of the first dead letter
  std::string dead_lines;                      // of the object of dead letters,
  std::vector<kafka::NewRecord> dead_records;  // or for their topic

  // Of the thread that writes it.
  std::vector<std::string> bytes;  // of plan.objects, in their order, until each is made
  size_t packed = 0;               // files that have become plan.objects and bytes
  bool finished = false;           // all of them have
  bool planned = false;
  size_t made = 0;
  size_t dead_sent = 0;  // of dead_records

  int64_t memory() const;   // bytes
  int64_t payload() const;  // bytes in the files
};

int64_t memory_of(const OpenFile& file);
int64_t memory_of(const kafka::NewRecord& record);

}  // namespace pinflow::sink
