// A generator profile as read from its file. Immutable. Internal to the room.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "source/kinds.h"

namespace pinflow::source {

// Something that comes true for a share of the posts.
struct Chance {
  std::string name;
  uint64_t id = 0;  // of its stream of random numbers
  uint64_t threshold = 0;
  int within = -1, unless = -1;  // only where that earlier chance came, or did not
};

// Something that many posts have in common: one of `size` persons, places, …, the first ones more often.
struct Thing {
  std::string name;
  uint64_t id = 0;
  uint64_t size = 1;
  int skew = 1;
};

// One value of a post: a column of a record, or a value that only others use.
struct Node {
  std::string name;  // "pin.title"; "hash"
  uint64_t id = 0;
  int thing = -1;  // ≥ 0: the same for all posts that have the same one of this thing
  Maker maker;
};

struct Profile {
  std::vector<Chance> chances;
  std::vector<Thing> things;
  std::vector<Node> nodes;
  std::vector<size_t> order;                    // of the nodes: each after those that it uses
  std::vector<std::vector<size_t>> columns;     // by record and source column: its node
  std::vector<std::vector<std::string>> names;  // the same: `{"index":`, `,"unique_id":`
};

Result<Profile> read_profile(const std::filesystem::path& file, const pipeline::Pipeline& pipeline);

}  // namespace pinflow::source
