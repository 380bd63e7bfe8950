#include "delta/thrift.h"

namespace pinflow::delta {
namespace {

constexpr int kMaxDepth = 64;

}  // namespace

void ThriftReader::fault() {
  ok_ = false;
  rest_ = {};
}

bool ThriftReader::enter() {
  if (++depth_ > kMaxDepth) fault();
  if (!ok_) --depth_;
  return ok_;
}

uint8_t ThriftReader::take() {
  if (rest_.empty()) {
    fault();
    return 0;
  }
  const auto byte = static_cast<uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return byte;
}

uint64_t ThriftReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = take();
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  fault();
  return 0;
}

int64_t ThriftReader::integer() {
  const uint64_t zigzag = varint();
  return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
}

uint8_t ThriftReader::small() { return take(); }

std::string_view ThriftReader::text() {
  const uint64_t length = varint();
  if (length > rest_.size()) {
    fault();
    return {};
  }
  const std::string_view text = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return text;
}

ThriftReader::Kind ThriftReader::next_field(int16_t& id) {
  const uint8_t header = take();
  if (!ok_ || header == 0) return stop;
  const int jump = header >> 4;
  id = static_cast<int16_t>(jump == 0 ? integer() : id + jump);
  const int kind = header & 0xf;
  if (kind < yes || kind > structure) fault();
  return ok_ ? static_cast<Kind>(kind) : stop;
}

ThriftReader::Kind ThriftReader::list_header(uint64_t& count) {
  const uint8_t header = take();
  count = header >> 4;
  if (count == 15) count = varint();
  const int kind = header & 0xf;
  // An item takes a byte at least, so a count beyond the rest is a fault and never a long loop.
  if (count > rest_.size() || kind < yes || kind > structure) {
    count = 0;
    if (header != 0) fault();
    return stop;
  }
  return static_cast<Kind>(kind);
}

void ThriftReader::skip(Kind kind, bool in_list) {
  switch (kind) {
    case yes:
    case no:
      if (in_list) take();
      return;
    case byte: take(); return;
    case i16:
    case i32:
    case i64: varint(); return;
    case real:
      for (int i = 0; i < 8; ++i) take();
      return;
    case binary: text(); return;
    case list:
    case set: each_item([this](Kind item) { skip(item, true); }); return;
    case structure: each_field([this](int16_t, Kind field) { skip(field); }); return;
    case map: {
      if (!enter()) return;
      const uint64_t count = varint();
      const uint8_t kinds = count == 0 ? 0 : take();
      if (count > rest_.size()) fault();
      for (uint64_t i = 0; ok_ && i < count; ++i) {
        skip(static_cast<Kind>(kinds >> 4), true);
        skip(static_cast<Kind>(kinds & 0xf), true);
      }
      --depth_;
      return;
    }
    case stop: fault(); return;
  }
  fault();
}

}  // namespace pinflow::delta
