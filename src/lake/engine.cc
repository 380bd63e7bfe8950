#include "lake/engine.h"

namespace pinflow::lake {

Result<> check_no_overlap(const std::vector<TopicObject>& objects, const std::vector<int64_t>& ends) {
  for (size_t i = 0; i + 1 < objects.size() && i < ends.size(); ++i) {
    if (objects[i].partition != objects[i + 1].partition || ends[i] <= objects[i + 1].first_offset) continue;
    return corrupt("{} holds records up to offset {}, and {} begins below that: a record would be read twice",
                   objects[i].name, ends[i] - 1, objects[i + 1].name);
  }
  return {};
}

}  // namespace pinflow::lake
