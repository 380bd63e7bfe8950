// GetShardIterator: from where a shard is read.
#include <algorithm>
#include <cmath>

#include "kinesis/service/answer.h"
#include "kinesis/service/operation.h"

namespace pinflow::kinesis {
namespace {

Refused no_such_shard(const Shared& shared, int32_t shard, std::string_view stream) {
  return resource_not_found("Shard {} in stream {} under account {} does not exist", shard_id(shard), stream,
                            shared.account());
}

// The offset that a sequence number stands for, where it is one of this shard's.
Answer<int64_t> offset_of(const Shared& shared, const Stream& stream, int32_t shard, std::string_view text) {
  const auto number = parse_sequence_number(text);
  if (!number) {
    return invalid_argument(
        "StartingSequenceNumber {} used in GetShardIterator on shard {} in stream {} under account {} is invalid.",
        text, shard_id(shard), stream.name, shared.account());
  }
  if (number->shard != shard) {
    return invalid_argument(
        "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
        shard_id(number->shard), shard_id(shard));
  }
  const SequenceNumber first = first_sequence(stream, shard);
  if (number->shard_created_s != first.shard_created_s || number->mark != first.mark) {
    return invalid_argument(
        "StartingSequenceNumber {} used in GetShardIterator on shard {} in stream {} under account "
        "{} is invalid because it did not come from this stream.",
        text, shard_id(shard), stream.name, shared.account());
  }
  return number->index - 1;
}

Answer<int64_t> start_of(Shared& shared, const Stream& stream, int32_t shard, const Value& request) {
  const std::string_view type = *request.text_of("ShardIteratorType");
  const auto sequence = request.text_of("StartingSequenceNumber");
  const bool by_sequence = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
  if (by_sequence != sequence.has_value()) {
    return invalid_argument(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
        "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {} and {} StartingSequenceNumber.",
        type, sequence ? "also a" : "no");
  }
  const auto offsets = shared.catalogue->log().offsets(stream.id, shard);
  if (!offsets) return no_such_shard(shared, shard, stream.name);
  if (by_sequence) {
    const auto offset = offset_of(shared, stream, shard, *sequence);
    if (!offset) return offset;
    const int64_t wanted = std::min(*offset, INT64_MAX - 1) + (type == "AFTER_SEQUENCE_NUMBER" ? 1 : 0);
    return std::clamp(wanted, int64_t{0}, offsets->end);
  }
  if (type == "TRIM_HORIZON") return offsets->start;
  if (type == "LATEST") return offsets->end;
  const auto seconds = request.number_of("Timestamp");
  if (!seconds) {
    return invalid_argument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current "
        "request has no timestamp parameter.");
  }
  const auto at_ms = static_cast<int64_t>(std::llround(std::clamp(*seconds, 0.0, 1e12) * 1000));
  const int64_t now = shared.now();
  if (at_ms > now) {
    return invalid_argument(
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
        "timestampInMillis: {}, currentTimestampInMillis: {}",
        at_ms, now);
  }
  const auto found = shared.catalogue->log().offset_for_time(stream.id, shard, at_ms);
  if (!found) return internal_failure("{}", found.error().message);
  return found->offset < 0 ? offsets->end : found->offset;
}

}  // namespace

Text get_shard_iterator(Shared& shared, const Value& request) {
  const auto name = name_in(shared, request);
  if (!name) return Refused(name.error());
  const auto shard = shard_in(shared, *name, *request.text_of("ShardId"));
  if (!shard) return Refused(shard.error());
  const auto live = shared.catalogue->find(*name);
  if (!live) return no_such_shard(shared, *shard, *name);
  const StatePtr state = live->now();
  const Stream& stream = state->stream;
  const int64_t now = shared.now();
  if (*shard >= static_cast<int32_t>(stream.shards.size()) || !within_retention(stream, *shard, now))
    return no_such_shard(shared, *shard, *name);
  const auto offset = start_of(shared, stream, *shard, request);
  if (!offset) return Refused(offset.error());
  const std::string iterator = shared.seal.seal(ShardIterator{*name, stream.id, *shard, *offset, now});
  return AnswerWriter().begin_object().key("ShardIterator").string(iterator).end_object().take();
}

}  // namespace pinflow::kinesis
