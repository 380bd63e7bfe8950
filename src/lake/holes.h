// Offsets of a plan's range that no object holds. The sink's dead letters explain them; what they do not is lost, or
// the log itself never had it (a real Kafka's transaction markers, compaction).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "lake/objects.h"
#include "lake/plan.h"
#include "object/store.h"

namespace pinflow::lake {

struct Hole {
  int64_t from = 0;
  int64_t to = 0;  // exclusive
  bool operator==(const Hole&) const = default;
};

// `objects` are of any partitions, sorted; `ends` are theirs: the offset behind each one's last record. Pure.
std::vector<Hole> holes_of(const PartitionRange& range, std::span<const TopicObject> objects,
                           std::span<const int64_t> ends);

// What is left of the holes without the offsets, which are sorted. Pure.
std::vector<Hole> without(const std::vector<Hole>& holes, const std::vector<int64_t>& offsets);

// What is left of a partition's holes without the sink's dead letters. Reads only where there is a hole.
Result<std::vector<Hole>> unexplained(object::Store& store, const std::string& topic, int32_t partition,
                                      std::vector<Hole> holes);

// "0 to 4, 17 and 3 more"
std::string text_of(const std::vector<Hole>& holes);
int64_t offsets_in(const std::vector<Hole>& holes);

}  // namespace pinflow::lake
