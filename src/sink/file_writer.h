// How the finished files of one partition become durable: as a chain (lake_writer.h) or by plans (plan_writer.h).
// One thread uses a writer at a time.
#pragma once

#include <cstdint>
#include <deque>

#include "base/error.h"
#include "sink/file.h"

namespace pinflow::sink {

struct WriteCounts {
  int64_t in_objects = 0;
  int64_t dead = 0;
  int64_t skipped = 0;  // records that were in the lake already
  int64_t objects = 0;
  int64_t dead_objects = 0;
  int64_t bytes = 0;

  WriteCounts& operator+=(const WriteCounts& more);
};

class FileWriter {
 public:
  virtual ~FileWriter() = default;

  // Writes from the front of `files` and takes what is durable away; `counts` is added to. Ends well when none is
  // left. On an error those left are to be tried again with the next call, except:
  //   conflict  an object under a name of ours holds other bytes than the log's records make
  //   corrupt   it is no whole object
  virtual Result<> write(std::deque<File>& files, WriteCounts& counts) = 0;

  // Another sink has begun otherwise where these files begin: they must be thrown away, and the partition begun again.
  virtual bool is_overtaken() const { return false; }
};

}  // namespace pinflow::sink
