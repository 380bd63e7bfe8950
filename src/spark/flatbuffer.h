// Reading flatbuffers, as Arrow's messages are: bytes of a server, so every offset is checked. Pure.
// (Format: the FlatBuffers binary format. A table begins with the signed distance back to its vtable; a vtable is its
// size, the table's size and a u16 offset for each field, 0 where the field has its default. Little-endian throughout.)
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pinflow::spark {

// A table inside `bytes`, which must outlive it. Asking a table that is not there gives defaults; a position outside
// of the bytes makes bad() true, once and for all, on the flag that all tables of one message share.
class FlatTable {
 public:
  FlatTable() = default;
  // The root of a buffer.
  static FlatTable root(std::string_view bytes, bool& bad) {
    FlatTable none{bytes, 0, bad};
    return none.at_offset(0);
  }

  explicit operator bool() const { return position_ != 0; }

  template <class T>
  requires std::integral<T> T number(int field, T fallback = 0)
  const {
    const uint32_t at = find(field);
    return at == 0 ? fallback : load<T>(at);
  }
  FlatTable table(int field) const {
    const uint32_t at = find(field);
    return at == 0 ? FlatTable{bytes_, 0, *bad_} : at_offset(at);
  }
  std::string_view text(int field) const {
    const auto [at, length] = vector(field, 1);
    return bytes_.substr(at, length);
  }
  // A vector of structs of so many bytes each, as one run of bytes.
  std::string_view structs(int field, uint32_t size) const {
    const auto [at, length] = vector(field, size);
    return bytes_.substr(at, size_t{length} * size);
  }
  uint32_t tables(int field) const { return vector(field, 4).length; }
  FlatTable table(int field, uint32_t index) const {
    const auto [at, length] = vector(field, 4);
    if (index < length) return at_offset(at + index * 4);
    *bad_ = true;
    return FlatTable{bytes_, 0, *bad_};
  }

 private:
  struct Vector {
    uint32_t at = 0;
    uint32_t length = 0;
  };

  FlatTable(std::string_view bytes, uint32_t position, bool& bad) : bytes_(bytes), position_(position), bad_(&bad) {}

  template <class T>
  T load(uint64_t at) const {
    T value{};
    if (at + sizeof value > bytes_.size()) *bad_ = true;
    else std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  FlatTable at_offset(uint32_t at) const {
    const uint64_t position = uint64_t{at} + load<uint32_t>(at);
    if (position == at || position + 4 > bytes_.size()) {
      *bad_ = true;
      return FlatTable{bytes_, 0, *bad_};
    }
    return FlatTable{bytes_, static_cast<uint32_t>(position), *bad_};
  }

  // Where the field's value stands; 0 where it has its default.
  uint32_t find(int field) const {
    if (position_ == 0) return 0;
    const int64_t vtable = int64_t{position_} - load<int32_t>(position_);
    if (vtable < 0 || vtable + 4 > static_cast<int64_t>(bytes_.size())) {
      *bad_ = true;
      return 0;
    }
    const uint32_t slot = 4 + 2 * static_cast<uint32_t>(field);
    if (slot + 2 > load<uint16_t>(vtable)) return 0;
    const uint16_t offset = load<uint16_t>(vtable + slot);
    return offset == 0 ? 0 : position_ + offset;
  }

  Vector vector(int field, uint32_t size) const {
    const uint32_t at = find(field);
    if (at == 0) return {};
    const uint64_t start = uint64_t{at} + load<uint32_t>(at);
    const uint32_t length = load<uint32_t>(start);
    if (start + 4 + uint64_t{length} * size > bytes_.size()) {
      *bad_ = true;
      return {};
    }
    return {static_cast<uint32_t>(start) + 4, length};
  }

  std::string_view bytes_;
  uint32_t position_ = 0;
  bool* bad_ = nullptr;
};

}  // namespace pinflow::spark
