#include <algorithm>
#include <utility>

#include "kinesis/api/operations.h"
#include "kinesis/service/answer.h"
#include "kinesis/service/operation.h"
#include "log/batch.h"

namespace pinflow::kinesis {
namespace {

struct NewRecord {
  std::string data;
  std::string partition_key;
  HashKey hash_key = 0;
};

struct Slot {
  int32_t shard = -1;
  SequenceNumber first;  // of the shard's batch, without its offset
  int64_t offset = -1;   // -1: refused, as `error` says
  ApiError error;
};

ApiError error_of(const Error& error) {
  switch (error.code) {
    case Code::full: return throttled("The service cannot take more for now: {}", error.message).error();
    case Code::not_found: return resource_not_found("The stream was deleted meanwhile.").error();
    default: return internal_failure("The record could not be stored: {}", error.message).error();
  }
}

// The records of one request: one batch for each shard, answered when all are durable or refused.
class Job final : public PutJob, public std::enable_shared_from_this<Job> {
 public:
  using Done = std::function<void(const std::vector<Slot>&)>;

  Job(std::shared_ptr<Shared> shared, Named to, std::vector<NewRecord> records, size_t bytes, Done done)
      : shared_(std::move(shared)),
        to_(std::move(to)),
        records_(std::move(records)),
        slots_(records_.size()),
        bytes_(bytes),
        done_(std::move(done)) {}
  ~Job() override { shared_->put_bytes.fetch_sub(bytes_, std::memory_order_relaxed); }

  void choose(const StreamState& state, std::vector<ShardRates>& rates) override {
    const Stream& stream = state.stream;
    time_ms_ = shared_->now();
    for (size_t i = 0; i < records_.size(); ++i) {
      Slot& slot = slots_[i];
      slot.shard = state.open.find(records_[i].hash_key);
      const auto shard = static_cast<size_t>(slot.shard);
      if (shared_->options.shard_limits &&
          !rates[shard].put(records_[i].data.size() + records_[i].partition_key.size(), time_ms_)) {
        slot.error = throttled("Rate exceeded for shard {} in stream {} under account {}.", shard_id(slot.shard),
                               stream.name, shared_->account())
                         .error();
        continue;
      }
      slot.first = sequence_of(stream, slot.shard, -1, time_ms_);
      auto group = std::ranges::find(groups_, slot.shard, &Group::shard);
      if (group == groups_.end()) group = groups_.insert(groups_.end(), {slot.shard, {}});
      group->slots.push_back(i);
    }
  }

  void go() override {
    left_ = static_cast<int>(groups_.size()) + 1;
    for (Group& group : groups_) {
      log::BatchBuilder batch(time_ms_);
      for (const size_t i : group.slots) batch.add(time_ms_, records_[i].partition_key, records_[i].data);
      shared_->catalogue->log().append(
          to_.live->topic, group.shard, batch.finish(),
          [self = shared_from_this(), &group](Result<log::Appended> appended) { self->appended(group, appended); });
    }
    one_less();
  }

 private:
  struct Group {
    int32_t shard = 0;
    std::vector<size_t> slots;
  };

  void appended(const Group& group, const Result<log::Appended>& appended) {
    for (size_t i = 0; i < group.slots.size(); ++i) {
      Slot& slot = slots_[group.slots[i]];
      if (appended) slot.offset = appended->base_offset + static_cast<int64_t>(i);
      else slot.error = error_of(appended.error());
    }
    if (appended) shared_->records_put.fetch_add(static_cast<int64_t>(group.slots.size()), std::memory_order_relaxed);
    one_less();
  }

  void one_less() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    to_.live->leave();
    done_(slots_);
  }

  const std::shared_ptr<Shared> shared_;
  const Named to_;
  std::vector<NewRecord> records_;
  std::vector<Slot> slots_;
  std::vector<Group> groups_;
  const size_t bytes_;
  const Done done_;
  int64_t time_ms_ = 0;
  std::atomic<int> left_ = 0;  // groups not yet durable, and go() itself
};

Answer<NewRecord> record_of(Value& value) {
  NewRecord record;
  record.partition_key = *value.text_of("PartitionKey");
  record.data = std::move(value.find("Data")->bytes);
  const auto given = value.text_of("ExplicitHashKey");
  if (!given) {
    record.hash_key = hash_key_of(record.partition_key);
    return record;
  }
  const auto key = parse_hash_key(*given);
  if (!key) {
    return invalid_argument(
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {}", *given);
  }
  record.hash_key = *key;
  return record;
}

void put(const std::shared_ptr<Shared>& shared, Named to, std::vector<NewRecord> records, size_t bytes,
         const Answered& answer, Job::Done done) {
  const size_t before = shared->put_bytes.fetch_add(bytes, std::memory_order_relaxed);
  const std::string name = to.name;
  const auto live = to.live;
  auto job = std::make_shared<Job>(shared, std::move(to), std::move(records), bytes, std::move(done));
  if (before > 0 && before + bytes > shared->options.max_put_bytes)
    return answer(throttled("Too many bytes wait for the disk. Send more slowly."));
  switch (live->enter(std::move(job))) {
    case LiveStream::Entered::yes: return;
    case LiveStream::Entered::busy: return answer(throttled("Stream {} is being resharded. Send more slowly.", name));
    case LiveStream::Entered::deleted:
      return answer(resource_not_found("Stream {} under account {} not found.", name, shared->account()));
  }
}

std::string sequence_text(const Slot& slot) {
  SequenceNumber number = slot.first;
  number.index = slot.offset + 1;
  return text_of(number);
}

}  // namespace

void put_record(const std::shared_ptr<Shared>& shared, Value& request, size_t body_bytes, Answered answer) {
  auto to = stream_of(*shared, request);
  if (!to) return answer(Refused(to.error()));
  auto record = record_of(request);
  if (!record) return answer(Refused(record.error()));
  if (const auto text = request.text_of("SequenceNumberForOrdering")) {
    // Numbers of a shard only ever grow, so any that this service gave is smaller than the next.
    const auto number = parse_sequence_number(*text);
    if (!number) {
      return answer(invalid_argument(
          "ExclusiveMinimumSequenceNumber {} used in PutRecord on stream {} under account {} is invalid.", *text,
          to->name, shared->account()));
    }
  }
  std::vector<NewRecord> records;
  records.push_back(std::move(*record));
  put(shared, std::move(*to), std::move(records), body_bytes, answer, [answer](const std::vector<Slot>& slots) {
    const Slot& slot = slots[0];
    if (slot.offset < 0) return answer(Refused(slot.error));
    AnswerWriter out;
    out.begin_object().key("ShardId").plain(shard_id(slot.shard)).key("SequenceNumber").plain(sequence_text(slot));
    answer(out.end_object().take());
  });
}

void put_records(const std::shared_ptr<Shared>& shared, Value& request, size_t body_bytes, Answered answer) {
  auto to = stream_of(*shared, request);
  if (!to) return answer(Refused(to.error()));
  std::vector<NewRecord> records;
  size_t bytes = 0;
  std::vector<Value>& entries = request.find("Records")->items;
  records.reserve(entries.size());
  for (Value& entry : entries) {
    auto record = record_of(entry);
    if (!record) return answer(Refused(record.error()));
    bytes += record->data.size() + record->partition_key.size();
    records.push_back(std::move(*record));
  }
  if (bytes > kMaxPutRecordsBytes) {
    return answer(invalid_argument("Records size exceeds {} bytes: send fewer at once.", kMaxPutRecordsBytes));
  }
  put(shared, std::move(*to), std::move(records), body_bytes, answer, [answer](const std::vector<Slot>& slots) {
    AnswerWriter out;
    const auto failed = std::ranges::count_if(slots, [](const Slot& slot) { return slot.offset < 0; });
    out.begin_object().key("FailedRecordCount").number(int64_t{failed}).key("Records").begin_array();
    for (const Slot& slot : slots) {
      out.begin_object();
      if (slot.offset < 0) {
        out.key("ErrorCode").string(slot.error.type).key("ErrorMessage").string(slot.error.message);
      } else {
        out.key("SequenceNumber").plain(sequence_text(slot)).key("ShardId").plain(shard_id(slot.shard));
      }
      out.end_object();
    }
    answer(out.end_array().end_object().take());
  });
}

}  // namespace pinflow::kinesis
