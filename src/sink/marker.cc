#include "sink/marker.h"

#include <simdjson.h>

#include "base/json.h"
#include "sink/names.h"

namespace pinflow::sink {

std::string marker_text(const Marker& marker) {
  JsonWriter json;
  json.begin_object().key("cluster_id").string(marker.cluster_id).key("topic_id").string(marker.topic_id);
  json.key("group").string(marker.group).end_object();
  return json.take() + "\n";
}

Result<Marker> parse_marker(std::string_view text) {
  simdjson::dom::parser parser;
  std::string_view cluster_id;
  std::string_view topic_id;
  const auto parsed = parser.parse(text.data(), text.size());
  if (parsed.error() || parsed["cluster_id"].get(cluster_id) || parsed["topic_id"].get(topic_id))
    return corrupt("not an object with cluster_id and topic_id: {:.200}", text);
  std::string_view group;
  if (parsed["group"].get(group)) group = {};
  return Marker{std::string(cluster_id), std::string(topic_id), std::string(group)};
}

Result<Sameness> compare_markers(const Marker& lake, const Marker& now, std::string_view topic) {
  const auto differ = [](const std::string& a, const std::string& b) { return !a.empty() && !b.empty() && a != b; };
  constexpr std::string_view remedy =
      "Its objects and the topic's offsets do not belong together. Use another lake, or move the topic's objects, dead "
      "letters and state/topics object away";
  if (differ(lake.cluster_id, now.cluster_id))
    return fail(Code::conflict, "topic {}: the lake was written from the cluster {}, this one is {}. {}", topic,
                lake.cluster_id, now.cluster_id, remedy);
  if (differ(lake.topic_id, now.topic_id))
    return fail(Code::conflict, "topic {}: it was deleted and made anew since the lake was written (id {}, now {}). {}",
                topic, lake.topic_id, now.topic_id, remedy);
  const bool known =
      !lake.cluster_id.empty() && !lake.topic_id.empty() && !now.cluster_id.empty() && !now.topic_id.empty();
  return known ? Sameness::same : Sameness::unknown;
}

Result<Claim> claim_topic(object::Store& store, std::string_view topic, const Marker& now) {
  const std::string name = marker_name(topic);
  auto put = store.put_if_absent(name, marker_text(now));
  if (!put && put.error().code != Code::already_exists) return pass(put.error());
  auto text = store.get(name);
  if (!text) return pass(text.error());
  auto lake = parse_marker(*text);
  if (!lake) return pass(lake.error(), "{}/{}", store.url(), name);
  auto compared = compare_markers(*lake, now, topic);
  if (!compared) return pass(compared.error());
  return Claim{*compared, lake->group};
}

}  // namespace pinflow::sink
