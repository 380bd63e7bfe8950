#include "kafka/client/ask_metadata.h"

#include <algorithm>

#include "kafka/codec/api_versions.h"

namespace pinflow::kafka {
namespace {

Result<int16_t> common_version(BrokerConnection& broker, int16_t newest) {
  auto versions = broker.ask<ApiVersionsResponse>(ApiVersionsRequest{}, 0);
  if (!versions) return pass(versions.error());
  for (const auto& range : versions->apis) {
    if (range.api_key == static_cast<int16_t>(Api::metadata)) return std::min(range.max_version, newest);
  }
  return unsupported("the broker does not say which versions of Metadata it speaks");
}

}  // namespace

Result<ToldMetadata> ask_metadata(BrokerConnection& broker, const std::vector<std::string>& topics, int16_t newest,
                                  bool with_operations) {
  const auto version = common_version(broker, newest);
  if (!version) return pass(version.error());
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.include_cluster_authorized_operations = request.include_topic_authorized_operations = with_operations;
  // Before version 4 asking for a topic by name may create it: then all are asked for.
  if (*version >= 4) {
    request.topics.emplace();
    for (const std::string& topic : topics) request.topics->push_back({{}, topic});
  } else if (*version == 0) {
    request.topics.emplace();
  }
  auto answer = broker.ask<MetadataResponse>(request, *version);
  if (!answer) return pass(answer.error());
  return ToldMetadata{std::move(*answer), *version};
}

}  // namespace pinflow::kafka
