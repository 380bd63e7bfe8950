// GetRecords: the records of a shard from where its iterator stands.
#include <algorithm>
#include <ctime>

#include "kinesis/service/operation.h"
#include "kinesis/service/shards_text.h"
#include "log/batch.h"

namespace pinflow::kinesis {
namespace {

constexpr int64_t kMaxReadBytes = 10 << 20;  // of a GetRecords
constexpr int64_t kReadAtOnce = 1 << 20;
constexpr int64_t kLikelyRecordBytes = 4 << 10;  // where few records are asked for, little is read
constexpr int64_t kMaxRecords = 10'000;

// "Sat Nov 21 04:40:33 UTC 2026"
std::string long_time(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &parts)};
}

Refused refusal_of(TokenProblem problem, int64_t made_ms, int64_t now) {
  if (problem == TokenProblem::invalid) return invalid_argument("Invalid ShardIterator.");
  return Refused({400, "ExpiredIteratorException",
                  fmt::format("Iterator expired. The iterator was created at time {} while right now it is {} which is "
                              "further in the future than the tolerated delay of {} milliseconds.",
                              long_time(made_ms), long_time(now), kTokenMs)});
}

// Takes records from the log into an answer, until one of the limits is reached.
class Reader {
 public:
  Reader(const Stream& stream, int32_t shard, int64_t next, int64_t limit, AnswerWriter& out)
      : next(next), stream_(stream), shard_(shard), limit_(limit), out_(out) {}

  Answer<> read(log::Log& log, int64_t end) {
    while (!full_ && next < end) {
      const int64_t at_once = std::min(kReadAtOnce, (limit_ - records) * kLikelyRecordBytes);
      const auto piece = log.read(stream_.id, shard_, next, at_once);
      if (!piece && passed_trimmed(log)) continue;
      if (!piece) return internal_failure("{}", piece.error().message);
      if (piece->empty()) return {};
      if (auto taken = take(*piece); !taken) return taken;
    }
    return {};
  }

  int64_t next;  // offset
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t last_time_ms = 0;  // of the last record

 private:
  // Retention may take what is about to be read: that is passed over.
  bool passed_trimmed(const log::Log& log) {
    const auto offsets = log.offsets(stream_.id, shard_);
    if (!offsets || offsets->start <= next) return false;
    next = offsets->start;
    return true;
  }

  Answer<> take(std::string_view piece) {
    while (!full_ && !piece.empty()) {
      const auto header = log::read_batch_header(piece);  // (the log has checked it)
      if (!header) return internal_failure("{}", header.error().message);
      const auto records = log::read_records(piece.substr(0, static_cast<size_t>(header->bytes())));
      if (!records) return internal_failure("{}", records.error().message);
      for (const log::Record& record : *records) {
        if (record.offset >= next && !full_) put(record);
      }
      piece.remove_prefix(static_cast<size_t>(header->bytes()));
    }
    return {};
  }

  void put(const log::Record& record) {
    const std::string_view data = record.value.value_or(""), key = record.key.value_or("");
    const auto size = static_cast<int64_t>(data.size() + key.size());
    if (records > 0 && bytes + size > kMaxReadBytes) {
      full_ = true;
      return;
    }
    out_.begin_object().key("SequenceNumber");
    out_.plain(text_of(sequence_of(stream_, shard_, record.offset, record.timestamp_ms)));
    out_.key("ApproximateArrivalTimestamp").timestamp(record.timestamp_ms);
    out_.key("Data").blob(data).key("PartitionKey").string(key).end_object();
    ++records;
    bytes += size;
    next = record.offset + 1;
    last_time_ms = record.timestamp_ms;
    full_ = records == limit_;
  }

  const Stream& stream_;
  const int32_t shard_;
  const int64_t limit_;
  AnswerWriter& out_;
  bool full_ = false;
};

void write_children(const Stream& stream, int32_t shard, AnswerWriter& out) {
  out.key("ChildShards").begin_array();
  for (const int32_t child : children_of(stream, shard)) {
    const Shard& made = stream.shards[static_cast<size_t>(child)];
    out.begin_object().key("ShardId").plain(shard_id(child)).key("ParentShards").begin_array();
    out.plain(shard_id(made.parent));
    if (made.adjacent >= 0) out.plain(shard_id(made.adjacent));
    out.end_array();
    write_range(made.range, out);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

Text get_records(Shared& shared, const Value& request) {
  const int64_t now = shared.now();
  int64_t made_ms = 0;
  const auto iterator = shared.seal.open_iterator(*request.text_of("ShardIterator"), now, &made_ms);
  if (!iterator) return refusal_of(iterator.error(), made_ms, now);
  const std::string& name = iterator->stream;
  if (const auto arn = request.text_of("StreamARN"); arn && *arn != shared.catalogue->arn_of(name))
    return invalid_argument("The StreamARN {} is not that of the ShardIterator's stream.", *arn);
  const auto live = shared.catalogue->find(name);
  const StatePtr state = live ? live->now() : nullptr;
  if (!state || state->stream.id != iterator->stream_id) return stream_not_found(shared, name);
  const Stream& stream = state->stream;
  const int32_t shard = iterator->shard;
  const auto offsets = shared.catalogue->log().offsets(stream.id, shard);
  if (shard >= static_cast<int32_t>(stream.shards.size()) || !offsets) {
    return resource_not_found("Shard {} in stream {} under account {} does not exist", shard_id(shard), name,
                              shared.account());
  }
  if (shared.options.shard_limits && !live->may_read(shard, now)) {
    return throttled("Rate exceeded for shard {} in stream {} under account {}.", shard_id(shard), name,
                     shared.account());
  }

  AnswerWriter out;
  out.begin_object().key("Records").begin_array();
  const auto limit = static_cast<int64_t>(request.number_of("Limit").value_or(kMaxRecords));
  // What retention took is passed over.
  Reader reader(stream, shard, std::clamp(iterator->offset, offsets->start, offsets->end), limit, out);
  if (auto read = reader.read(shared.catalogue->log(), offsets->end); !read) return Refused(read.error());
  out.end_array();
  if (shared.options.shard_limits) live->has_read(shard, static_cast<size_t>(reader.bytes));
  shared.records_read.fetch_add(reader.records, std::memory_order_relaxed);

  const bool at_end = reader.next >= offsets->end;
  // (The stream was looked at before the offsets: a shard that was closed then has no record behind them.)
  const bool ended = at_end && !stream.shards[static_cast<size_t>(shard)].open();
  out.key("NextShardIterator");
  if (ended) out.null();
  else out.string(shared.seal.seal(ShardIterator{name, stream.id, shard, reader.next, now}));
  out.key("MillisBehindLatest");
  out.number(at_end || reader.records == 0 ? 0 : std::max<int64_t>(now - reader.last_time_ms, 0));
  if (ended) write_children(stream, shard, out);
  return out.end_object().take();
}

}  // namespace pinflow::kinesis
