#include "log/producer_state.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/bytes.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kMagic = "PFP1";
constexpr size_t kHeaderBytes = 20;
constexpr size_t kProducerBytes = 19;
constexpr size_t kBatchBytes = 24;

// Sequences go round from 2^31 - 1 to 0.
int32_t sequence_after(int32_t sequence, int32_t steps) {
  return static_cast<int32_t>((static_cast<int64_t>(sequence) + steps) & std::numeric_limits<int32_t>::max());
}

}  // namespace

Result<std::optional<ProducedBatch>> ProducerState::check(const BatchHeader& batch) const {
  if (batch.producer_epoch < 0 || batch.base_sequence < 0) {
    return invalid("producer {} sent epoch {} and sequence {}: an idempotent producer has both from 0 on",
                   batch.producer_id, batch.producer_epoch, batch.base_sequence);
  }
  const auto found = producers_.find(batch.producer_id);
  if (found == producers_.end()) return std::nullopt;
  const auto& producer = found->second;
  if (batch.producer_epoch < producer.epoch) {
    return fail(Code::denied, "producer {} has epoch {} now, {} is fenced", batch.producer_id, producer.epoch,
                batch.producer_epoch);
  }
  if (batch.producer_epoch > producer.epoch) {
    if (batch.base_sequence == 0) return std::nullopt;
    return fail(Code::conflict, "producer {} begins epoch {} with sequence {}, expected 0", batch.producer_id,
                batch.producer_epoch, batch.base_sequence);
  }
  const int32_t last = sequence_after(batch.base_sequence, batch.last_offset_delta);
  for (size_t i = 0; i < producer.count; ++i) {
    const auto& before = producer.batches[i];
    if (before.first_sequence == batch.base_sequence && before.last_sequence == last) return before;
  }
  if (batch.base_sequence == producer.next_sequence) return std::nullopt;
  return fail(Code::conflict, "producer {} sent sequence {}, expected {}", batch.producer_id, batch.base_sequence,
              producer.next_sequence);
}

void ProducerState::add(const BatchHeader& batch, int64_t append_time_ms) {
  if (producers_.size() >= kMaxProducers && !producers_.contains(batch.producer_id)) forget_unused(append_time_ms);
  const auto [found, is_new] = producers_.try_emplace(batch.producer_id);
  auto& producer = found->second;
  if (is_new || producer.epoch != batch.producer_epoch) {
    producer = {};
    producer.epoch = batch.producer_epoch;
    producer.first_sequence = batch.base_sequence;
  }
  if (producer.count == kRememberedBatches) {
    std::shift_left(producer.batches.begin(), producer.batches.end(), 1);
    --producer.count;
  }
  const int32_t last = sequence_after(batch.base_sequence, batch.last_offset_delta);
  producer.batches[producer.count++] = {batch.base_sequence, last, batch.base_offset, append_time_ms};
  producer.next_sequence = sequence_after(last, 1);
  producer.used_ms = append_time_ms;
}

void ProducerState::roll_back_to(const ProducerState& durable) {
  auto before = std::move(producers_);
  producers_ = durable.producers_;
  for (auto& [id, producer] : before) {
    if (producers_.contains(id)) continue;
    producer.count = 0;
    producer.next_sequence = producer.first_sequence;
    producers_.emplace(id, producer);
  }
}

void ProducerState::forget_unused(int64_t now_ms) {
  std::erase_if(producers_, [&](const auto& entry) { return entry.second.used_ms < now_ms - kProducerExpiryMs; });
  if (producers_.size() < kMaxProducers) return;
  // Half of them at once, so that this is rare.
  std::vector<int64_t> uses;
  uses.reserve(producers_.size());
  for (const auto& [id, producer] : producers_) uses.push_back(producer.used_ms);
  const auto middle = uses.begin() + static_cast<ptrdiff_t>(uses.size() / 2);
  std::ranges::nth_element(uses, middle);
  size_t left = uses.size() / 2;
  std::erase_if(producers_, [&](const auto& entry) { return entry.second.used_ms <= *middle && left > 0 && left--; });
}

std::string ProducerState::encode(int64_t end_offset) const {
  std::string body;
  append_big(body, end_offset);
  append_big(body, static_cast<int32_t>(producers_.size()));
  for (const auto& [id, producer] : producers_) {
    append_big(body, id);
    append_big(body, producer.epoch);
    append_big(body, producer.used_ms);
    append_big(body, producer.count);
    for (size_t i = 0; i < producer.count; ++i) {
      const auto& batch = producer.batches[i];
      append_big(body, batch.first_sequence);
      append_big(body, batch.last_sequence);
      append_big(body, batch.base_offset);
      append_big(body, batch.append_time_ms);
    }
  }
  std::string file(kMagic);
  append_big(file, crc32c(body));
  return file + body;
}

Result<ProducerState> ProducerState::decode(std::string_view file, int64_t end_offset) {
  if (file.size() < kHeaderBytes || !file.starts_with(kMagic)) return corrupt("not a snapshot of producers");
  if (load_big<uint32_t>(file.data() + 4) != crc32c(file.substr(8))) return corrupt("its CRC is wrong");
  if (load_big<int64_t>(file.data() + 8) != end_offset) return corrupt("it is of another offset");
  auto left = static_cast<int64_t>(load_big<int32_t>(file.data() + 16));
  file.remove_prefix(kHeaderBytes);
  ProducerState state;
  for (; left > 0 && file.size() >= kProducerBytes; --left) {
    Producer producer;
    const auto id = load_big<int64_t>(file.data());
    producer.epoch = load_big<int16_t>(file.data() + 8);
    producer.used_ms = load_big<int64_t>(file.data() + 10);
    producer.count = load_big<uint8_t>(file.data() + 18);
    file.remove_prefix(kProducerBytes);
    if (producer.count == 0 || producer.count > kRememberedBatches || file.size() < producer.count * kBatchBytes) break;
    for (size_t i = 0; i < producer.count; ++i, file.remove_prefix(kBatchBytes)) {
      producer.batches[i] = {load_big<int32_t>(file.data()), load_big<int32_t>(file.data() + 4),
                             load_big<int64_t>(file.data() + 8), load_big<int64_t>(file.data() + 16)};
    }
    producer.first_sequence = producer.batches[0].first_sequence;
    producer.next_sequence = sequence_after(producer.batches[producer.count - 1u].last_sequence, 1);
    state.producers_.emplace(id, producer);
  }
  if (left != 0 || !file.empty()) return corrupt("its length is wrong");
  return state;
}

}  // namespace pinflow::log
