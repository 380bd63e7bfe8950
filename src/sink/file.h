// The bytes of an object in progress: lines of one partition, in the order of offsets. Pure. A data file's offsets are
// consecutive, so a line's offset is first + line; a dead file's lines name theirs.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "sink/names.h"
#include "sink/rotation.h"

namespace pinflow::sink {

struct File {
  Kind kind = Kind::data;
  int64_t first = 0;    // offset of its first record
  int64_t next = 0;     // one past the offset of its last record
  int64_t records = 0;  // lines
  std::string bytes;
  int64_t opened_ms = 0;  // steady clock
  int64_t touched_ms = 0;

  bool empty() const { return records == 0; }
  int64_t size() const { return static_cast<int64_t>(bytes.size()); }
  Progress progress() const { return {records, size(), opened_ms, touched_ms}; }

  // The line of this record was just appended to `bytes`.
  void count(int64_t offset, int64_t now_ms);
};

// Takes the records before `offset` out; the number of those taken. corrupt: a line that is no dead letter.
Result<int64_t> drop_before(File& file, int64_t offset);

}  // namespace pinflow::sink
