// Kafka's record batch, format v2 (KIP-98), as it stands on the wire and on our disk. Pure.
// https://kafka.apache.org/documentation/#recordbatch
//
//    0 base offset i64 | 8 length i32 (of all that follows) | 12 leader epoch i32 | 16 magic i8 = 2
//   17 crc u32 (CRC-32C of byte 21 to the end) | 21 attributes i16 | 23 last offset delta i32
//   27 base timestamp i64 | 35 max timestamp i64 | 43 producer id i64 | 51 producer epoch i16
//   53 base sequence i32 | 57 record count i32 | 61 records
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::log {

inline constexpr size_t kBatchHeaderBytes = 61;

struct BatchHeader {
  int64_t base_offset = 0;
  int32_t length = 0;  // bytes after this field; the whole batch has length + 12
  int32_t leader_epoch = 0;
  int8_t magic = 2;
  uint32_t crc = 0;
  int16_t attributes = 0;  // bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = 0;
  int64_t max_timestamp = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;

  int64_t bytes() const { return static_cast<int64_t>(length) + 12; }
  int64_t last_offset() const { return base_offset + last_offset_delta; }
  int compression() const { return attributes & 7; }  // 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd
};

// Of the batch at the start of `bytes`, which may be cut after the header. invalid: too short, or magic is not 2.
Result<BatchHeader> read_batch_header(std::string_view bytes);

// The header of a batch that is whole and whose CRC is right. `bytes` may go on after it.
Result<BatchHeader> check_batch(std::string_view bytes);

// Neither field is covered by the CRC.
void set_base_offset(std::string& batch, int64_t base_offset);

struct Record {
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> headers;
};

// Writes an uncompressed batch; base offset 0.
class BatchBuilder {
 public:
  explicit BatchBuilder(int64_t base_timestamp_ms);
  void add(int64_t timestamp_ms, std::optional<std::string_view> key, std::optional<std::string_view> value,
           const std::vector<std::pair<std::string_view, std::optional<std::string_view>>>& headers = {});
  int32_t count() const { return count_; }
  size_t bytes() const { return batch_.size(); }
  // At least one record was added. The builder is used up.
  std::string finish();

 private:
  std::string batch_;
  int64_t base_timestamp_;
  int64_t max_timestamp_;
  int32_t count_ = 0;
};

// The records of one uncompressed batch, views into `batch`. unsupported when it is compressed, corrupt when it does
// not parse.
Result<std::vector<Record>> read_records(std::string_view batch);

}  // namespace pinflow::log
