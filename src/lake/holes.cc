#include "lake/holes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace pinflow::lake {
namespace {

constexpr int kLookBack = 8;   // objects of dead letters read that begin before the first hole
constexpr size_t kNamed = 10;  // holes in a message

}  // namespace

std::vector<Hole> holes_of(const PartitionRange& range, std::span<const TopicObject> objects,
                           std::span<const int64_t> ends) {
  std::vector<Hole> holes;
  int64_t at = range.from;
  for (size_t i = 0; i < objects.size() && i < ends.size(); ++i) {
    if (objects[i].partition != range.partition) continue;
    const int64_t begin = std::min(objects[i].first_offset, range.to);
    if (begin > at) holes.push_back({at, begin});
    at = std::max(at, ends[i]);
  }
  if (at < range.to) holes.push_back({at, range.to});
  return holes;
}

std::vector<Hole> without(const std::vector<Hole>& holes, const std::vector<int64_t>& offsets) {
  std::vector<Hole> left;
  for (Hole hole : holes) {
    for (auto offset = std::ranges::lower_bound(offsets, hole.from); offset != offsets.end() && *offset < hole.to;
         ++offset) {
      if (*offset > hole.from) left.push_back({hole.from, *offset});
      hole.from = *offset + 1;
    }
    if (hole.from < hole.to) left.push_back(hole);
  }
  return left;
}

Result<std::vector<Hole>> unexplained(object::Store& store, const std::string& topic, int32_t partition,
                                      std::vector<Hole> holes) {
  if (holes.empty()) return holes;
  const auto dead = list_dead(store, topic);
  if (!dead) return pass(dead.error());
  const Hole whole{holes.front().from, holes.back().to};
  std::vector<int64_t> offsets;  // that fill the holes
  int looked_back = 0;
  for (auto object = dead->rbegin(); object != dead->rend(); ++object) {
    if (object->partition != partition || object->first_offset >= whole.to) continue;
    if (object->first_offset < whole.from) {
      std::ranges::sort(offsets);
      holes = without(holes, offsets);
      if (holes.empty() || ++looked_back > kLookBack) break;
    }
    const auto of_object = dead_offsets(store, *object);
    if (!of_object) return pass(of_object.error());
    std::ranges::copy_if(*of_object, std::back_inserter(offsets),
                         [&](int64_t offset) { return offset >= whole.from && offset < whole.to; });
  }
  std::ranges::sort(offsets);
  return without(holes, offsets);
}

std::string text_of(const std::vector<Hole>& holes) {
  std::string text;
  for (size_t i = 0; i < std::min(holes.size(), kNamed); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", holes[i].from);
    if (holes[i].to - holes[i].from > 1) text += fmt::format(" to {}", holes[i].to - 1);
  }
  if (holes.size() > kNamed) text += fmt::format(" and {} more", holes.size() - kNamed);
  return text;
}

int64_t offsets_in(const std::vector<Hole>& holes) {
  int64_t sum = 0;
  for (const Hole& hole : holes) sum += hole.to - hole.from;
  return sum;
}

}  // namespace pinflow::lake
