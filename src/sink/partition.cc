#include "sink/partition.h"

#include <algorithm>

#include "sink/dead_letter.h"

namespace pinflow::sink {
namespace {

// As strings grow by themselves, but large ones in smaller steps: memory is dearer than copying.
void make_room(std::string& bytes, size_t more) {
  constexpr size_t kLarge = 4 << 20;
  if (bytes.size() < kLarge || bytes.size() + more <= bytes.capacity()) return;
  bytes.reserve(bytes.size() + std::max(bytes.size() / 4, more));
}

}  // namespace

Partition::Partition(const Rotation& rotation, gate::JsonGate& gate, int64_t start, Coverage known, Give give,
                     BadRecords bad_records)
    : rotation_(rotation),
      gate_(gate),
      start_(start),
      known_(std::move(known)),
      known_end_(known_.empty() ? 0 : known_.end()),
      give_(std::move(give)),
      bad_records_(bad_records),
      position_(start),
      reached_(start) {}

Result<> Partition::take(const kafka::Message& record, const Now& now) {
  if (record.offset < position_) return {};
  position_ = record.offset + 1;
  reached_ = std::max(reached_, position_);
  ++taken_;
  if (record.offset < known_end_ && known_.contains(record.offset)) {
    ++passed_over_;
    return {};
  }
  if (!data_.empty()) {
    if (data_.next != record.offset) close(data_, Cause::gap);
    else if (is_over(rotation_, data_.base_ms, record.timestamp_ms)) close(data_, Cause::record_time);
  }
  std::string_view reason = kNullValue;
  if (record.value) {
    make_room(data_.bytes, record.value->size() + 1);
    auto accepted = gate_.accept(*record.value, data_.bytes);
    if (accepted) {
      data_.bytes += '\n';
      if (data_.empty()) data_.base_ms = record.timestamp_ms;
      data_.count(record.offset, now);
      if (const auto full = is_full(rotation_, data_.progress())) close(data_, *full);
      return {};
    }
    reason = gate::text_of(accepted.error());
  }
  if (bad_records_.stop) {
    --taken_;
    position_ = record.offset;
    return bad_record(record, reason);
  }
  if (bad_records_.log) log_bad_record(record, reason);
  append_dead_letter(dead_.bytes, record, reason);
  dead_.count(record.offset, now);
  if (const auto full = is_full(rotation_, dead_.progress())) close(dead_, *full);
  return {};
}

void Partition::reach(int64_t offset) { reached_ = std::max(reached_, offset); }

void Partition::close_due(const Now& now) {
  for (File* file : {&data_, &dead_})
    if (!file->empty())
      if (const auto due = is_due(rotation_, file->progress(), now)) close(*file, *due);
}

void Partition::close_all(Cause cause) {
  close(data_, cause);
  close(dead_, cause);
}

int64_t Partition::given() const {
  int64_t given = position_;
  for (const File* file : {&data_, &dead_})
    if (!file->empty()) given = std::min(given, file->first);
  return given;
}

void Partition::close(File& file, Cause cause) {
  if (file.empty()) return;
  file.cause = cause;
  give_(std::exchange(file, File::of(file.kind)));
}

}  // namespace pinflow::sink
