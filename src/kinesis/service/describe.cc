// DescribeStream, DescribeStreamSummary, DescribeLimits, DescribeAccountSettings.
#include <algorithm>

#include "kinesis/service/operation.h"
#include "kinesis/service/shards_text.h"

namespace pinflow::kinesis {
namespace {

constexpr int64_t kMostDescribed = 100;  // shards in an answer; a greater Limit is taken for this
constexpr int64_t kMaxRecordKiB = 1024;
constexpr int64_t kOnDemandLimit = 50;

// What both descriptions say. A stream is active as soon as it is made, and changes at once.
void write_common(const Shared& shared, const Stream& stream, AnswerWriter& out) {
  out.key("StreamName").string(stream.name).key("StreamARN").string(shared.catalogue->arn_of(stream.name));
  out.key("StreamStatus").plain("ACTIVE");
  write_mode(stream, out);
  out.key("RetentionPeriodHours").number(stream.retention_hours);
  out.key("StreamCreationTimestamp").timestamp(stream.created_ms);
  out.key("EnhancedMonitoring").begin_array().begin_object();
  out.key("ShardLevelMetrics").begin_array().end_array().end_object().end_array();
  out.key("EncryptionType").plain("NONE");
}

}  // namespace

void write_range(const HashKeyRange& range, AnswerWriter& out) {
  out.key("HashKeyRange").begin_object().key("StartingHashKey").plain(text_of(range.first));
  out.key("EndingHashKey").plain(text_of(range.last)).end_object();
}

void write_shard(const Stream& stream, int32_t shard, AnswerWriter& out) {
  const Shard& made = stream.shards[static_cast<size_t>(shard)];
  out.begin_object().key("ShardId").plain(shard_id(shard));
  if (made.parent >= 0) out.key("ParentShardId").plain(shard_id(made.parent));
  if (made.adjacent >= 0) out.key("AdjacentParentShardId").plain(shard_id(made.adjacent));
  write_range(made.range, out);
  out.key("SequenceNumberRange").begin_object();
  out.key("StartingSequenceNumber").plain(text_of(first_sequence(stream, shard)));
  if (!made.open()) out.key("EndingSequenceNumber").plain(text_of(last_sequence(stream, shard)));
  out.end_object().end_object();
}

void write_mode(const Stream& stream, AnswerWriter& out) {
  out.key("StreamModeDetails").begin_object().key("StreamMode");
  out.plain(stream.mode == Mode::on_demand ? "ON_DEMAND" : "PROVISIONED").end_object();
}

Text describe_stream(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const StatePtr state = to->live->now();
  const Stream& stream = state->stream;
  int32_t next = 0;
  if (const auto after = request.text_of("ExclusiveStartShardId")) {
    const auto shard = shard_in(shared, to->name, *after);
    if (!shard) return Refused(shard.error());
    next = std::min(*shard, kMaxShards) + 1;
  }
  const auto wanted = static_cast<int64_t>(request.number_of("Limit").value_or(static_cast<double>(kMostDescribed)));
  const int64_t now = shared.now();
  const auto shards = static_cast<int32_t>(stream.shards.size());
  AnswerWriter out;
  out.begin_object().key("StreamDescription").begin_object();
  write_common(shared, stream, out);
  out.key("Shards").begin_array();
  for (int64_t left = std::min(wanted, kMostDescribed); left > 0 && next < shards; ++next) {
    if (!within_retention(stream, next, now)) continue;
    write_shard(stream, next, out);
    --left;
  }
  out.end_array();
  while (next < shards && !within_retention(stream, next, now)) ++next;
  out.key("HasMoreShards").boolean(next < shards);
  return out.end_object().end_object().take();
}

Text describe_stream_summary(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const StatePtr state = to->live->now();
  AnswerWriter out;
  out.begin_object().key("StreamDescriptionSummary").begin_object();
  write_common(shared, state->stream, out);
  out.key("OpenShardCount").number(int64_t{open_shards(state->stream)});
  out.key("ConsumerCount").number(0).key("MaxRecordSizeInKiB").number(kMaxRecordKiB);
  return out.end_object().end_object().take();
}

Text describe_limits(Shared& shared, const Value&) {
  int64_t open = 0, on_demand = 0;
  for (const auto& live : shared.catalogue->all()) {
    const StatePtr state = live->now();
    open += open_shards(state->stream);
    on_demand += state->stream.mode == Mode::on_demand;
  }
  AnswerWriter out;
  out.begin_object().key("ShardLimit").number(int64_t{shared.options.shard_limit}).key("OpenShardCount").number(open);
  out.key("OnDemandStreamCount").number(on_demand).key("OnDemandStreamCountLimit").number(kOnDemandLimit);
  return out.end_object().take();
}

Text describe_account_settings(Shared&, const Value&) {
  AnswerWriter out;  // nothing is billed here
  out.begin_object().key("MinimumThroughputBillingCommitment").begin_object().key("Status").plain("DISABLED");
  return out.end_object().end_object().take();
}

}  // namespace pinflow::kinesis
