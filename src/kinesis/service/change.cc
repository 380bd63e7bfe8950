// CreateStream, DeleteStream, reshards, mode, retention. Each is done when it is answered: a stream is ACTIVE at once.
#include "kinesis/service/answer.h"
#include "kinesis/service/operation.h"
#include "kinesis/service/stream_files.h"

namespace pinflow::kinesis {
namespace {

constexpr int32_t kOnDemandShards = 4;  // that a stream in on-demand mode begins with

int32_t count_of(const Value& request, std::string_view name) { return static_cast<int32_t>(*request.number_of(name)); }

Answer<> is_provisioned(const Stream& stream, std::string_view operation) {
  if (stream.mode == Mode::provisioned) return {};
  return validation("{} is only supported for data streams with the provisioned capacity mode; {} is ON_DEMAND.",
                    operation, stream.name);
}

Text change(Shared& shared, const std::string& name, const Catalogue::Next& next) {
  auto changed = shared.catalogue->change(name, next);
  if (!changed) return Refused(changed.error());
  return "";
}

Text set_retention(Shared& shared, const Value& request, bool increase) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const auto hours = static_cast<int64_t>(*request.number_of("RetentionPeriodHours"));
  if (hours < kLeastRetentionHours) {
    return invalid_argument(
        "Minimum allowed retention period is {} hours. Requested retention period ({} hours) is "
        "too short.",
        kLeastRetentionHours, hours);
  }
  if (hours > kMostRetentionHours) {
    return invalid_argument(
        "Maximum allowed retention period is {} hours. Requested retention period ({} hours) is "
        "too long.",
        kMostRetentionHours, hours);
  }
  return change(shared, to->name, [&](Stream stream) -> Answer<Stream> {
    if (increase ? hours < stream.retention_hours : hours > stream.retention_hours) {
      return invalid_argument(
          "Requested retention period ({} hours) for stream {} can not be {} than existing "
          "retention period ({} hours). Use {}RetentionPeriod API.",
          hours, stream.name, increase ? "shorter" : "longer", stream.retention_hours,
          increase ? "Decrease" : "Increase");
    }
    stream.retention_hours = hours;
    return stream;
  });
}

}  // namespace

Text create_stream(Shared& shared, const Value& request) {
  Stream stream;
  stream.name = *request.text_of("StreamName");
  if (const Value* details = request.find("StreamModeDetails"))
    stream.mode = *details->text_of("StreamMode") == "ON_DEMAND" ? Mode::on_demand : Mode::provisioned;
  const bool has_count = request.find("ShardCount") != nullptr;
  const bool on_demand = stream.mode == Mode::on_demand;
  if (on_demand && has_count)
    return validation("ShardCount must not be specified for a stream with the ON_DEMAND capacity mode.");
  if (!on_demand && !has_count)
    return validation("ShardCount must be specified for a stream with the PROVISIONED capacity mode.");
  if (const Value* tags = request.find("Tags")) {
    for (size_t i = 0; i < tags->items.size(); ++i)
      stream.tags.insert_or_assign(std::string(tags->names[i]), tags->items[i].text);
    if (auto checked = check_tags(stream.tags); !checked) return Refused(checked.error());
  }
  const int32_t count = on_demand ? kOnDemandShards : count_of(request, "ShardCount");
  if (auto room = shared.catalogue->has_room(count); !room) return Refused(room.error());
  stream.id = new_stream_id();
  stream.created_ms = shared.now();
  for (const HashKeyRange& range : uniform_ranges(count)) stream.shards.push_back({range, -1, -1, stream.created_ms});
  if (auto created = shared.catalogue->create(std::move(stream)); !created) return Refused(created.error());
  return "";
}

Text delete_stream(Shared& shared, const Value& request) {
  const auto name = name_in(shared, request);
  if (!name) return Refused(name.error());
  if (auto removed = shared.catalogue->remove(*name); !removed) return Refused(removed.error());
  return "";
}

Text split_shard(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const auto shard = shard_in(shared, to->name, *request.text_of("ShardToSplit"));
  if (!shard) return Refused(shard.error());
  const std::string_view text = *request.text_of("NewStartingHashKey");
  const auto key = parse_hash_key(text);
  if (!key) return invalid_argument("NewStartingHashKey {} is not in the range: [0, 2^128-1].", text);
  return change(shared, to->name, [&](const Stream& stream) -> Answer<Stream> {
    if (auto may = is_provisioned(stream, "SplitShard"); !may) return Refused(may.error());
    return split(stream, *shard, *key, shared.now(), shared.account());
  });
}

Text merge_shards(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const auto shard = shard_in(shared, to->name, *request.text_of("ShardToMerge"));
  if (!shard) return Refused(shard.error());
  const auto adjacent = shard_in(shared, to->name, *request.text_of("AdjacentShardToMerge"));
  if (!adjacent) return Refused(adjacent.error());
  return change(shared, to->name, [&](const Stream& stream) -> Answer<Stream> {
    if (auto may = is_provisioned(stream, "MergeShards"); !may) return Refused(may.error());
    return merge(stream, *shard, *adjacent, shared.now(), shared.account());
  });
}

Text update_shard_count(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const int32_t target = count_of(request, "TargetShardCount");
  int32_t before = 0;
  auto changed = shared.catalogue->change(to->name, [&](const Stream& stream) -> Answer<Stream> {
    if (auto may = is_provisioned(stream, "UpdateShardCount"); !may) return Refused(may.error());
    before = open_shards(stream);
    return resize(stream, target, shared.now(), shared.account());
  });
  if (!changed) return Refused(changed.error());
  AnswerWriter out;
  out.begin_object().key("StreamName").string(to->name).key("CurrentShardCount").number(int64_t{before});
  out.key("TargetShardCount").number(int64_t{target});
  out.key("StreamARN").string(shared.catalogue->arn_of(to->name));
  return out.end_object().take();
}

Text update_stream_mode(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const bool on_demand = *request.find("StreamModeDetails")->text_of("StreamMode") == "ON_DEMAND";
  return change(shared, to->name, [&](Stream stream) -> Answer<Stream> {
    stream.mode = on_demand ? Mode::on_demand : Mode::provisioned;
    return stream;
  });
}

Text increase_retention(Shared& shared, const Value& request) { return set_retention(shared, request, true); }
Text decrease_retention(Shared& shared, const Value& request) { return set_retention(shared, request, false); }

}  // namespace pinflow::kinesis
