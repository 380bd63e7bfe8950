// The objects of a topic in the lake, as the sink (ours, or Confluent's S3 sink with its DefaultPartitioner) leaves
// them:
//
//   topics/<topic>/partition=<p>/<topic>+<p>+<first offset>.json    one record a line, at consecutive offsets
//
// An object's record at line n (from 0) has the offset first + n. Between two objects there may be a gap: records
// that the sink refused. Objects are never rewritten.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::lake {

struct TopicObject {
  std::string name;
  int32_t partition = 0;
  int64_t first_offset = 0;
  int64_t size = 0;  // bytes
};

// Sorted by partition, then by first offset. Names that are none of the above are named in a warning and passed over.
// corrupt where two objects of a partition begin at the same offset.
Result<std::vector<TopicObject>> list_topic(object::Store& store, const std::string& topic);

// The offset behind the object's last record. Reads the object.
Result<int64_t> end_of(object::Store& store, const TopicObject& object);

// Who a topic is: the sink writes it beside the objects (state/topics/<topic>.json), so that a topic made anew under
// an old name is noticed. Both empty where there is no such marker: objects of another connector.
struct TopicIdentity {
  std::string cluster_id;
  std::string topic_id;
  bool operator==(const TopicIdentity&) const = default;
  bool known() const { return !cluster_id.empty() || !topic_id.empty(); }
};
Result<TopicIdentity> identity_of(object::Store& store, const std::string& topic);

// Lines in `text`: what stands behind the last newline is a line too, unless it is empty. Pure.
int64_t count_lines(std::string_view text);

}  // namespace pinflow::lake
