#include "log/batch.h"

#include <algorithm>

#include "base/bytes.h"

namespace pinflow::log {
namespace {

constexpr size_t kCrcFrom = 21;  // the CRC covers from the attributes to the end
constexpr int64_t kLengthFrom = 12;
constexpr int kCompressionBits = 7;
constexpr int kLogAppendTime = 8;  // timestamp type: every record has the batch's max timestamp

// Timestamps come from strangers: their sums may overflow, which must not be undefined.
int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t wrapping_subtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// Zigzag and base 128, as in protocol buffers (sint32, sint64).
void append_varint(std::string& to, int64_t value) {
  auto rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; rest >= 0x80; rest >>= 7) to.push_back(static_cast<char>(rest | 0x80));
  to.push_back(static_cast<char>(rest));
}

void append_field(std::string& to, std::optional<std::string_view> field) {
  append_varint(to, field ? static_cast<int64_t>(field->size()) : -1);
  if (field) to.append(*field);
}

size_t varint_bytes(int64_t value) {
  auto rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  size_t bytes = 1;
  for (; rest >= 0x80; rest >>= 7) ++bytes;
  return bytes;
}

size_t field_bytes(std::optional<std::string_view> field) {
  return field ? varint_bytes(static_cast<int64_t>(field->size())) + field->size() : 1;
}

// Takes fields off the front of a record. After the first that is not there all are empty and `ok` is false.
struct Cursor {
  std::string_view left;
  bool ok = true;

  int64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !left.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(left.front());
      left.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
    ok = false;
    return 0;
  }

  std::string_view take(int64_t bytes) {
    if (!ok || bytes < 0 || static_cast<uint64_t>(bytes) > left.size()) {
      ok = false;
      return {};
    }
    const auto taken = left.substr(0, static_cast<size_t>(bytes));
    left.remove_prefix(static_cast<size_t>(bytes));
    return taken;
  }

  std::optional<std::string_view> field() {
    const int64_t bytes = varint();
    if (bytes == -1) return std::nullopt;
    return take(bytes);
  }
};

bool read_record(Cursor& cursor, const BatchHeader& header, Record& record) {
  Cursor body{cursor.take(cursor.varint())};
  body.take(1);  // attributes: none are defined
  const int64_t time_delta = body.varint();
  record.timestamp_ms =
      header.attributes & kLogAppendTime ? header.max_timestamp : wrapping_add(header.base_timestamp, time_delta);
  const int64_t offset_delta = body.varint();
  if (offset_delta < 0 || offset_delta > header.last_offset_delta) return false;
  record.offset = header.base_offset + offset_delta;
  record.key = body.field();
  record.value = body.field();
  const int64_t headers = body.varint();
  // A header takes two bytes at least, so a count from a broken record cannot ask for much memory.
  if (!body.ok || headers < 0 || static_cast<uint64_t>(headers) > body.left.size() / 2) return false;
  record.headers.reserve(static_cast<size_t>(headers));
  for (int64_t i = 0; i < headers && body.ok; ++i) {
    const auto name = body.take(body.varint());
    record.headers.emplace_back(name, body.field());
  }
  return cursor.ok && body.ok && body.left.empty();
}

}  // namespace

Result<BatchHeader> read_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) {
    return invalid("a record batch begins with {} bytes, here are {}", kBatchHeaderBytes, bytes.size());
  }
  const char* at = bytes.data();
  BatchHeader header;
  header.base_offset = load_big<int64_t>(at);
  header.length = load_big<int32_t>(at + 8);
  header.leader_epoch = load_big<int32_t>(at + 12);
  header.magic = load_big<int8_t>(at + 16);
  header.crc = load_big<uint32_t>(at + 17);
  header.attributes = load_big<int16_t>(at + 21);
  header.last_offset_delta = load_big<int32_t>(at + 23);
  header.base_timestamp = load_big<int64_t>(at + 27);
  header.max_timestamp = load_big<int64_t>(at + 35);
  header.producer_id = load_big<int64_t>(at + 43);
  header.producer_epoch = load_big<int16_t>(at + 51);
  header.base_sequence = load_big<int32_t>(at + 53);
  header.record_count = load_big<int32_t>(at + 57);
  if (header.magic != 2) {
    return invalid("record batch format {} is not supported: send format 2 (clients from Kafka 0.11 on do)",
                   header.magic);
  }
  if (header.bytes() < static_cast<int64_t>(kBatchHeaderBytes)) {
    return invalid("a record batch of {} bytes is shorter than its header", header.bytes());
  }
  return header;
}

Result<BatchHeader> check_batch(std::string_view bytes) {
  auto header = read_batch_header(bytes);
  if (!header) return header;
  if (static_cast<uint64_t>(header->bytes()) > bytes.size()) {
    return invalid("the record batch is cut: it has {} bytes, here are {}", header->bytes(), bytes.size());
  }
  const uint32_t crc = crc32c(bytes.substr(kCrcFrom, static_cast<size_t>(header->bytes()) - kCrcFrom));
  if (crc != header->crc) return corrupt("the record batch's CRC is {:08x}, its bytes give {:08x}", header->crc, crc);
  return header;
}

void set_base_offset(std::string& batch, int64_t base_offset) { store_big(batch.data(), base_offset); }

BatchBuilder::BatchBuilder(int64_t base_timestamp_ms)
    : batch_(kBatchHeaderBytes, '\0'), base_timestamp_(base_timestamp_ms), max_timestamp_(base_timestamp_ms) {}

void BatchBuilder::add(int64_t timestamp_ms, std::optional<std::string_view> key, std::optional<std::string_view> value,
                       const std::vector<std::pair<std::string_view, std::optional<std::string_view>>>& headers) {
  max_timestamp_ = count_ == 0 ? timestamp_ms : std::max(max_timestamp_, timestamp_ms);
  const int64_t time_delta = wrapping_subtract(timestamp_ms, base_timestamp_);
  size_t body = 1 + varint_bytes(time_delta) + varint_bytes(count_) + field_bytes(key) + field_bytes(value) +
                varint_bytes(static_cast<int64_t>(headers.size()));
  for (const auto& [name, field] : headers) body += field_bytes(name) + field_bytes(field);
  append_varint(batch_, static_cast<int64_t>(body));
  batch_.push_back('\0');
  append_varint(batch_, time_delta);
  append_varint(batch_, count_);
  append_field(batch_, key);
  append_field(batch_, value);
  append_varint(batch_, static_cast<int64_t>(headers.size()));
  for (const auto& [name, field] : headers) {
    append_field(batch_, name);
    append_field(batch_, field);
  }
  ++count_;
}

std::string BatchBuilder::finish() {
  char* at = batch_.data();
  store_big<int64_t>(at, 0);
  store_big(at + 8, static_cast<int32_t>(static_cast<int64_t>(batch_.size()) - kLengthFrom));
  store_big<int32_t>(at + 12, -1);
  store_big<int8_t>(at + 16, 2);
  store_big<int16_t>(at + 21, 0);
  store_big<int32_t>(at + 23, count_ - 1);
  store_big(at + 27, base_timestamp_);
  store_big(at + 35, max_timestamp_);
  store_big<int64_t>(at + 43, -1);
  store_big<int16_t>(at + 51, -1);
  store_big<int32_t>(at + 53, -1);
  store_big(at + 57, count_);
  store_big(at + 17, crc32c(std::string_view(batch_).substr(kCrcFrom)));
  return std::move(batch_);
}

Result<std::vector<Record>> read_records(std::string_view batch) {
  auto header = read_batch_header(batch);
  if (!header) return pass(header.error());
  if ((header->attributes & kCompressionBits) != 0) {
    return unsupported("the records are compressed (codec {}): decompress them first", header->compression());
  }
  if (static_cast<uint64_t>(header->bytes()) > batch.size()) return corrupt("the record batch is cut");
  Cursor cursor{batch.substr(kBatchHeaderBytes, static_cast<size_t>(header->bytes()) - kBatchHeaderBytes)};
  // A record takes seven bytes at least, so a false count cannot ask for much memory.
  if (header->record_count < 0 || static_cast<uint64_t>(header->record_count) > cursor.left.size() / 7) {
    return corrupt("{} bytes cannot hold the {} records that the batch names", cursor.left.size(),
                   header->record_count);
  }
  std::vector<Record> records(static_cast<size_t>(header->record_count));
  for (size_t i = 0; i < records.size(); ++i) {
    if (!read_record(cursor, *header, records[i])) {
      return corrupt("record {} of the batch at offset {} does not parse", i, header->base_offset);
    }
  }
  if (!cursor.left.empty()) return corrupt("{} bytes follow the last record of the batch", cursor.left.size());
  return records;
}

}  // namespace pinflow::log
