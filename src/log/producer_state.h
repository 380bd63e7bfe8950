// What a partition remembers of its idempotent producers (KIP-98): of each producer id the epoch and the last five
// batches, so that a repeat is known and a gap is refused. Pure; not thread-safe.
//
// The file <end offset>.producers: "PFP1" | crc u32 of what follows | end offset i64 | count i32 | of each producer:
//   id i64 | epoch i16 | last use, ms i64 | batches i8 | of each, oldest first: first sequence i32, last i32,
//   base offset i64, time appended, ms i64
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "log/batch.h"

namespace pinflow::log {

inline constexpr size_t kRememberedBatches = 5;  // Kafka's; clients have at most five requests in flight
inline constexpr size_t kMaxProducers = 50'000;  // of one partition; above it the longest unused are forgotten
inline constexpr int64_t kProducerExpiryMs = 24 * 3600 * 1000;  // unused for so long: forgotten. As Kafka's default

struct ProducedBatch {
  int32_t first_sequence = 0;
  int32_t last_sequence = 0;
  int64_t base_offset = 0;
  int64_t append_time_ms = 0;
};

class ProducerState {
 public:
  // Whether the batch may be appended: nullopt, and it is the next of its producer (or of a producer not known, whose
  // state may have been forgotten: any sequence is taken, as by Kafka); the batch that it repeats; conflict for a
  // sequence out of order, denied for an old epoch, invalid for impossible numbers.
  Result<std::optional<ProducedBatch>> check(const BatchHeader& batch) const;
  // `check` has let it pass, and it stands at batch.base_offset.
  void add(const BatchHeader& batch, int64_t append_time_ms);

  // Back to `durable` after a failed write. Producers that it does not know stay, with no batch and the first
  // sequence that failed as the next: else their second batch in flight would be taken as their first.
  void roll_back_to(const ProducerState& durable);

  void forget_unused(int64_t now_ms);
  size_t size() const { return producers_.size(); }

  std::string encode(int64_t end_offset) const;
  // corrupt when the bytes are not such a file, or of another offset.
  static Result<ProducerState> decode(std::string_view file, int64_t end_offset);

 private:
  struct Producer {
    int16_t epoch = 0;
    uint8_t count = 0;           // of `batches`
    int32_t first_sequence = 0;  // of the first batch since the state is known
    int32_t next_sequence = 0;
    int64_t used_ms = 0;
    std::array<ProducedBatch, kRememberedBatches> batches{};  // oldest first
  };

  std::unordered_map<int64_t, Producer> producers_;
};

}  // namespace pinflow::log
