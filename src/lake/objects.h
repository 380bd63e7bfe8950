// The objects of a topic in the lake, as the sink (ours, or Confluent's S3 sink with its DefaultPartitioner) leaves
// them:
//
//   topics/<topic>/partition=<p>/<topic>+<p>+<first offset>.json    one record a line, at consecutive offsets
//
// An object's record at line n (from 0) has the offset first + n. Between two objects there may be a gap: records
// that the sink refused. Objects are never rewritten.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
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
  // Which of its records are meant: those at the offsets [from, to). All, where nobody says otherwise.
  int64_t from = 0;
  int64_t to = std::numeric_limits<int64_t>::max();
};

// Sorted by partition, then by first offset. Names that are none of the above are named in a warning and passed over.
// corrupt where two objects of a partition begin at the same offset; unsupported where a sink has written the topic in
// another layout (its plans in state/sink/<topic>/ tell).
Result<std::vector<TopicObject>> list_topic(object::Store& store, const std::string& topic);

// The same of the objects of records that the sink refused, dead/<topic>/partition=<p>/<topic>+<p>+<first>.json. Their
// lines name their offsets (dead_offsets); they do not follow each other.
Result<std::vector<TopicObject>> list_dead(object::Store& store, const std::string& topic);
Result<std::vector<int64_t>> dead_offsets(object::Store& store, const TopicObject& object);  // corrupt

// The offset behind the object's last record. Reads the object.
Result<int64_t> end_of(object::Store& store, const TopicObject& object);

// Of listed objects those of the partition that hold records at `from` or behind it. The first may begin before it:
// an object that was lost and is written again need not begin where it did. At most one object is read, and none where
// an object begins at `from`.
Result<std::span<const TopicObject>> objects_from(object::Store& store, const std::vector<TopicObject>& listed,
                                                  int32_t partition, int64_t from);

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
