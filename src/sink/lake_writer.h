// Makes the finished files of one partition objects, in order, each record once, whoever else writes there. I/O.
// One thread uses it at a time; it remembers what it has seen of the partition's end.
//
// A name that is taken stands for an object that another sink, or an earlier life of this one, has made of the same
// records: what it holds is taken out of our file, and the rest goes under its own name.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "object/store.h"
#include "sink/file_writer.h"
#include "sink/names.h"

namespace pinflow::sink {

class LakeWriter final : public FileWriter {
 public:
  LakeWriter(object::Store& store, const Layout& layout, std::string_view topic, int32_t partition);

  Result<> write(std::deque<File>& files, WriteCounts& counts) override;

 private:
  Result<> skip_what_is_there(std::deque<File>& files, WriteCounts& counts);
  Result<> meet(std::deque<File>& files, WriteCounts& counts);
  const Names& names(Kind kind) const { return kind == Kind::data ? data_names_ : dead_names_; }
  int64_t& covered(Kind kind) { return kind == Kind::data ? data_covered_ : dead_covered_; }

  object::Store& store_;
  const Names data_names_;
  const Names dead_names_;
  int64_t data_covered_ = 0;  // the lake was seen to hold our records before this offset
  int64_t dead_covered_ = 0;
  std::set<std::string> unanswered_;  // objects whose put ended without an answer: perhaps ours
};

inline constexpr size_t kFilesOfAPut = 256;
inline constexpr int64_t kBytesOfAPut = 8 << 20;  // of several files; one larger one goes alone

}  // namespace pinflow::sink
