// Whose topic the objects of a lake are: state/topics/<topic>.json, put by the first sink that writes the topic and
// compared by everyone after. {"cluster_id":"…","topic_id":"…","group":"…"}; a field is empty where it could not be
// had. The group is that of the first sink.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::sink {

struct Marker {
  std::string cluster_id;
  std::string topic_id;
  std::string group = {};
};

std::string marker_text(const Marker& marker);
Result<Marker> parse_marker(std::string_view text);  // corrupt

enum class Sameness {
  same,     // both ids are known and equal
  unknown,  // nothing differs, but an id is not known: records must be compared
};

// Pure. conflict: another cluster, or another topic under the same name, in words that say what to do.
Result<Sameness> compare_markers(const Marker& lake, const Marker& now, std::string_view topic);

struct Claim {
  Sameness sameness = Sameness::unknown;
  std::string group;  // of the sink that was first; empty where it is not known
};

// Puts the marker if there is none, and compares it with the one that is there.
Result<Claim> claim_topic(object::Store& store, std::string_view topic, const Marker& now);

}  // namespace pinflow::sink
