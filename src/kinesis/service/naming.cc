// Which stream and which shard a request means.
#include "kinesis/service/operation.h"

namespace pinflow::kinesis {

Refused stream_not_found(const Shared& shared, std::string_view name) {
  return resource_not_found("Stream {} under account {} not found.", name, shared.account());
}

Answer<std::string> name_in(const Shared& shared, const Value& request) {
  const auto name = request.text_of("StreamName");
  const auto arn = request.text_of("StreamARN");
  if (!name && !arn) return invalid_argument("Either StreamName or StreamARN must be provided.");
  if (!arn) return std::string(*name);
  const std::string_view in_arn = arn->substr(arn->find(":stream/") + 8);
  if (name && *name != in_arn)
    return invalid_argument("StreamName {} and StreamARN {} do not name the same stream.", *name, *arn);
  if (*arn != shared.catalogue->arn_of(in_arn)) return resource_not_found("Stream {} not found.", *arn);
  return std::string(in_arn);
}

Answer<Named> stream_of(const Shared& shared, const Value& request) {
  auto name = name_in(shared, request);
  if (!name) return Refused(name.error());
  auto live = shared.catalogue->find(*name);
  if (!live) return stream_not_found(shared, *name);
  return Named{std::move(*name), std::move(live)};
}

Answer<Named> resource_of(const Shared& shared, const Value& request) {
  const std::string_view arn = *request.text_of("ResourceARN");
  const std::string of_streams = shared.catalogue->arn_of("");
  std::string name(arn.starts_with(of_streams) ? arn.substr(of_streams.size()) : "");
  auto live = shared.catalogue->find(name);
  if (!live) return resource_not_found("Resource {} not found.", arn);
  return Named{std::move(name), std::move(live)};
}

Answer<int32_t> shard_in(const Shared& shared, std::string_view stream, std::string_view shard) {
  const auto number = parse_shard_id(shard);
  if (number) return *number;
  return resource_not_found("Could not find shard {} in stream {} under account {}.", shard, stream, shared.account());
}

}  // namespace pinflow::kinesis
