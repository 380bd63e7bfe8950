// The primitive types of Kafka's protocol: big-endian integers, strings, byte arrays and arrays, each in its classic
// and its compact form (KIP-482, "flexible versions"). Pure; a Reader or Writer belongs to one thread.
// https://kafka.apache.org/protocol#protocol_types
//
//              classic                          compact
//   string     length i16 | UTF-8               length + 1 varint | UTF-8        (null: -1, compact 0)
//   bytes      length i32 | bytes               length + 1 varint | bytes
//   array      count i32 | elements             count + 1 varint | elements
//   tags       none                             count varint | (tag varint | size varint | bytes)…
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace pinflow::kafka {

// A byte array, which the wire tells from a string.
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

// 16 raw bytes; all zero means none.
struct Uuid {
  std::array<char, 16> raw{};
  bool operator==(const Uuid&) const = default;
  auto operator<=>(const Uuid&) const = default;
  bool none() const { return *this == Uuid{}; }
  std::string_view view() const { return {raw.data(), raw.size()}; }
  // Of a text that is not 16 bytes: none.
  static Uuid from(std::string_view bytes) {
    Uuid id;
    if (bytes.size() == id.raw.size()) std::memcpy(id.raw.data(), bytes.data(), bytes.size());
    return id;
  }
};

inline constexpr size_t kMaxStringBytes = 0x7fff;      // Kafka's own bound, compact strings too
inline constexpr int64_t kMaxArrayElements = 1 << 20;  // of all arrays of one message together

// Reads from bytes that must outlive it. Never reads past the end: the first fault is kept, and from then on every
// call gives zero, empty or null.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return !fault_; }
  const char* fault() const { return fault_; }  // for people; null while all is well
  size_t remaining() const { return rest_.size(); }

  template <std::integral T>
  T integer() {
    if (rest_.size() < sizeof(T)) return fail("the message ends within an integer"), T{};
    const T value = load_big<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  bool boolean() { return integer<int8_t>() != 0; }
  uint32_t varint();  // unsigned, at most five bytes
  Uuid uuid() { return Uuid::from(take(16)); }
  std::string_view take(size_t bytes);

  std::optional<std::string_view> string(bool compact);
  std::optional<std::string_view> bytes(bool compact);
  // -1 for a null array. A count that the rest of the message cannot hold is a fault.
  int32_t array(bool compact);

  void fail(const char* what) {
    if (!fault_) fault_ = what;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  const char* fault_ = nullptr;
  int64_t elements_ = 0;
};

// Appends to a text that must outlive it.
class Writer {
 public:
  explicit Writer(std::string& to) : to_(&to) {}

  template <std::integral T>
  void integer(T value) {
    append_big(*to_, value);
  }
  void boolean(bool value) { integer<int8_t>(value ? 1 : 0); }
  void varint(uint32_t value);
  void uuid(const Uuid& id) { to_->append(id.view()); }
  void raw(std::string_view bytes) { to_->append(bytes); }

  // At most kMaxStringBytes; a longer text is cut at a character.
  void string(std::optional<std::string_view> text, bool compact);
  void bytes(std::optional<std::string_view> bytes, bool compact);
  void array(int32_t count, bool compact);  // -1: null

 private:
  std::string* to_;
};

}  // namespace pinflow::kafka
