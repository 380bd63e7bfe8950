// What is closed at once and becomes durable together. Pure. In a chain, the bytes of one object: lines of one
// partition, in the order of offsets; a data file's offsets are consecutive, so a line's offset is first + line; a dead
// file's lines name theirs. By plan, a whole generation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "sink/names.h"
#include "sink/plan.h"
#include "sink/rotation.h"

namespace pinflow::sink {

struct File {
  Kind kind = Kind::data;
  int64_t first = 0;          // offset of its first record
  int64_t next = 0;           // one past the offset of its last record
  int64_t records = 0;        // lines
  Cause cause = Cause::told;  // of its closing
  std::string bytes;
  std::shared_ptr<Generation> generation;  // nothing in a chain
  Now opened;
  int64_t touched_ms = 0;  // steady clock
  int64_t base_ms = -1;    // the time of its first record

  static File of(Kind kind) {
    File file;
    file.kind = kind;
    return file;
  }
  bool empty() const { return records == 0; }
  int64_t size() const { return static_cast<int64_t>(bytes.size()); }
  int64_t payload() const { return size() + (generation ? generation->payload() : 0); }  // of objects, uncompressed
  int64_t memory() const { return static_cast<int64_t>(bytes.capacity()) + (generation ? generation->memory() : 0); }
  Progress progress() const { return {records, size(), opened, touched_ms}; }

  // The line of this record was just appended to `bytes`.
  void count(int64_t offset, const Now& now);
};

// Takes the records before `offset` out; the number of those taken. corrupt: a line that is no dead letter.
Result<int64_t> drop_before(File& file, int64_t offset);

}  // namespace pinflow::sink
