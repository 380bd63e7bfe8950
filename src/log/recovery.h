// What is in a .log file after a crash. Reads only; the caller cuts.
//
// A torn tail is what one last write left that no fsync finished: nobody was told of it, so it is cut. Corruption is
// damage to bytes that were on the disk: they may have been acknowledged, so nothing is cut and the log does not open.
// The two look alike where the damage begins; after a power loss even whole batches may follow a torn one, since the
// pages of one write reach the disk in any order. What tells them apart:
//   - a batch that is marked kAfterSync was written after all before it was on the disk. One such batch behind the
//     damage proves that the damaged bytes had been on the disk: corruption;
//   - the index covers bytes that were on the disk when it was written: damage below is corruption;
//   - everything else is of the last write: a torn tail. Zeros, which a file system may leave, are one as well.
// Left over: damage by the disk itself to the last write before a crash looks like a torn tail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/error.h"
#include "log/batch.h"
#include "log/segment_index.h"

namespace pinflow::log {

struct Recovered {
  SegmentIndex index;     // of the good bytes
  int64_t cut_bytes = 0;  // of the torn tail after them
  std::string why;        // what is wrong at its begin, where there is one
};

// `known` is the index that was found, or an empty one: scanning begins where it ends. Each batch's CRC is checked,
// and that its offsets follow. corrupt, with file and position: see above.
Result<Recovered> recover_segment(int fd, const std::filesystem::path& path, int64_t file_bytes, SegmentIndex known);

}  // namespace pinflow::log
