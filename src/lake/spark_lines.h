// The lines of a plan's objects on Spark, as SQL text: exactly the objects of the plan and of each exactly its records,
// without a folder's listing or an object's content going through this process. Pure.
//
// A line is one row: its text, and where it stands. Spark reads an object in blocks, side by side; a line's number in
// its object is made (a sort by block and by order in the block, which may spill) only where somebody needs it: for
// objects that are read in part, and for dead letters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "lake/objects.h"

namespace pinflow::lake {

struct LineChoice {
  std::set<size_t> numbered;  // which of the objects: their lines have numbers, and only those in [from, to) are there
  std::set<size_t> marked;    // of them those that begin with a byte order mark, which Spark drops
  bool only_numbered = false;
};

// A SELECT of
//   value          the line, a STRING of whatever bytes, without its newline
//   part, first    the partition, the first offset of the object
//   file           the object's name without its folder
//   n              BIGINT, its number in the object, from 0; NULL where it has none
//   bytes          of the line, its newline counted
// `lake` is the lake's path for Spark. `objects` (not empty) are sorted. An object that has come between them since
// they were listed is there too: its (part, first) is none of theirs.
std::string spark_lines_sql(const std::string& lake, const std::string& topic, const std::vector<TopicObject>& objects,
                            const LineChoice& choice);

// A SELECT of part, first, count(*), sum(bytes) of whole objects, those of `which`.
std::string spark_line_counts_sql(const std::string& lake, const std::string& topic,
                                  const std::vector<TopicObject>& objects, const std::set<size_t>& which);

}  // namespace pinflow::lake
