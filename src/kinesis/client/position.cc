#include "kinesis/client/position.h"

#include "base/clock.h"
#include "base/json.h"
#include "kinesis/api/sequence.h"

namespace pinflow::kinesis {

std::string iterator_body(std::string_view stream, std::string_view shard, const Position& position) {
  JsonWriter json;
  json.begin_object().key("StreamName").string(stream).key("ShardId").string(shard).key("ShardIteratorType");
  switch (position.kind) {
    case Position::Kind::oldest: json.string("TRIM_HORIZON"); break;
    case Position::Kind::latest: json.string("LATEST"); break;
    case Position::Kind::time:
      json.string("AT_TIMESTAMP").key("Timestamp").number(static_cast<double>(position.time_ms) / 1000);
      break;
    case Position::Kind::after:
    case Position::Kind::at:
      json.string("AT_SEQUENCE_NUMBER").key("StartingSequenceNumber").string(position.sequence);
      break;
  }
  return json.end_object().take();
}

std::string get_records_body(std::string_view iterator, int32_t limit) {
  return JsonWriter()
      .begin_object()
      .key("ShardIterator")
      .string(iterator)
      .key("Limit")
      .number(int64_t{limit})
      .end_object()
      .take();
}

bool are_neighbours(std::string_view earlier, std::string_view later) {
  const auto a = parse_sequence_number(earlier), b = parse_sequence_number(later);
  return a && b && a->shard == b->shard && a->shard_created_s == b->shard_created_s && a->mark == b->mark &&
         a->index + 1 == b->index;
}

Result<bool> settle_position(const Position& position, RecordBlock& block, bool at_tip, int64_t oldest_kept_ms) {
  if (position.kind != Position::Kind::after && position.kind != Position::Kind::at) return true;
  const std::string& sequence = position.sequence;
  if (block.records.empty() && !at_tip) return false;
  if (!block.records.empty()) {
    const ReadRecord first = block.records.front();
    if (first.sequence == sequence) {
      if (position.kind == Position::Kind::after) {
        block.bytes -= first.partition_key.size() + first.data.size();
        block.records.erase(block.records.begin());
      }
      return true;
    }
    if (position.kind == Position::Kind::after && are_neighbours(sequence, first.sequence)) return true;
  }
  if (position.kind == Position::Kind::after && position.complete_ms != 0 && position.complete_ms >= oldest_kept_ms)
    return true;
  return corrupt(
      "a gap: the record {} is not there any more{}; what followed it may have been trimmed before it was read "
      "(records are kept since {})",
      sequence, block.records.empty() ? "" : fmt::format(", the oldest one is {}", block.records.front().sequence),
      iso_time(oldest_kept_ms));
}

}  // namespace pinflow::kinesis
