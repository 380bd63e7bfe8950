// Folding: many small files of a table become one, in a commit that changes no data (dataChange=false on the removed
// and the added side, operation OPTIMIZE). Safe beside appends and other folders: it holds only where every file it
// folded is still in the table, under the same protocol and schema; else its work is thrown away. A kill leaves at most
// a file that no commit names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/snapshot.h"
#include "object/store.h"

namespace pinflow::delta {

struct FoldOptions {
  int64_t before_ms = 0;             // files put before this
  int64_t below_bytes = 32 << 20;    // files smaller than this
  int64_t bytes = 128 << 20;         // into a file of at most so much
  int least_files = 8;               // fewer are left as they are
  int most_files = 4'000;            // at once
  bool evenly = true;                // leave a file that weighs more than all smaller ones together
  int64_t memory_bytes = 512 << 20;  // the engine's
};

struct Folded {
  int64_t files = 0, made = 0, bytes = 0;
  bool raced = false;  // others removed a file, or changed the schema: nothing was done
  bool more = false;   // there may be more to fold
};

// The files to fold, as places in `files`, in order. Of the small ones the smallest are taken, where `evenly` as long
// as the largest weighs no more than the others together: so a row is written again a number of times that grows with
// the logarithm of the table's size. Pure.
std::vector<size_t> choose_files(const std::vector<DataFile>& files, const FoldOptions& options);

// Folds one set of files of the snapshot (the newest). unsupported where the table needs what we do not write.
Result<Folded> fold(object::Store& store, const std::string& table, const Snapshot& snapshot,
                    const FoldOptions& options);

}  // namespace pinflow::delta
